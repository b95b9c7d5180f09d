public import Bytes
internal import CCryptsetup
import Glibc

/// A LUKS2 volume under libcryptsetup.
///
/// Check the header with ``LUKS2Rules`` first; libcryptsetup is not made for hostile headers.
@safe public struct LUKSVolume: ~Copyable {
    let device: OpaquePointer
    let log: LUKSLog

    /// Opens the header of `device`, or the header copy at `header` for the data of `device`.
    ///
    /// - Parameter locking: Off where `/run/cryptsetup` cannot exist and nobody else writes.
    public init(
        device path: String, header: String? = nil, locking: Bool = true
    ) throws(LUKSError) {
        let (device, log) = try unsafe Self.handle(path, header: header, locking: locking)
        let result = LUKSLibrary.call { unsafe crypt_load(device, "LUKS2", nil) }
        guard result == 0 else {
            let message = log.take()
            LUKSLibrary.call { unsafe crypt_free(device) }
            throw .failed(
                operation: "reading the LUKS2 header of \(path)", errno: -result, message: message)
        }
        unsafe self.device = device
        self.log = log
    }

    init(owning device: OpaquePointer, _ log: LUKSLog) {
        unsafe self.device = device
        self.log = log
    }

    deinit {
        let device = unsafe device
        LUKSLibrary.call { unsafe crypt_free(device) }
    }

    static func handle(
        _ path: String, header: String?, locking: Bool
    ) throws(LUKSError) -> (OpaquePointer, LUKSLog) {
        var device: OpaquePointer?
        let result = LUKSLibrary.call {
            LUKSLog.silenceGlobalLog()
            crypt_metadata_locking(nil, locking ? 1 : 0)
            return unsafe crypt_init_data_device(
                &device, header ?? path, header == nil ? nil : path)
        }
        guard result == 0, let device = unsafe device else {
            throw .failed(
                operation: "opening \(path)", errno: -result,
                message: String(describing: unsafe String(cString: strerror(-result))))
        }
        let log = LUKSLog()
        unsafe log.attach(to: device)
        return unsafe (device, log)
    }

    /// The volume's UUID.
    public var uuid: String {
        unsafe crypt_get_uuid(device).map { unsafe String(cString: $0) } ?? ""
    }

    /// The volume key by one keyslot.
    ///
    /// One derivation, and the key is checked against the header's digest by libcryptsetup.
    public func volumeKey(
        keyslot: Int, passphrase: borrowing SecretBytes
    ) throws(LUKSError) -> SecretBytes {
        var opened = 0
        return try open(keyslot, passphrase, &opened)
    }

    /// The volume key by whichever keyslot the passphrase opens, with that keyslot's number.
    ///
    /// Tries keyslot after keyslot, which only an owner at a desk should do.
    public func volumeKey(
        anyKeyslot passphrase: borrowing SecretBytes
    ) throws(LUKSError) -> OpenedKeyslot {
        var opened = 0
        let key = try open(nil, passphrase, &opened)
        return OpenedKeyslot(number: opened, key: key)
    }

    private func open(
        _ keyslot: Int?, _ passphrase: borrowing SecretBytes, _ opened: inout Int
    ) throws(LUKSError) -> SecretBytes {
        var size = Int(unsafe crypt_get_volume_key_size(device))
        let (device, log) = unsafe (device, log)
        let number = keyslot.map { Int32($0) } ?? CRYPT_ANY_SLOT
        let secret = unsafe passphrase.characters
        return try unsafe SecretBytes(count: size) { block throws(LUKSError) in
            let result = LUKSLibrary.call {
                unsafe crypt_volume_key_get(
                    device, number, block.assumingMemoryBound(to: CChar.self).baseAddress, &size,
                    secret.baseAddress, secret.count)
            }
            opened = Int(result)
            guard result < 0 else { return }
            if result == -EPERM { throw .keyslotRefusedKey(keyslot: keyslot) }
            if let keyslot {
                switch unsafe crypt_keyslot_status(device, number) {
                case CRYPT_SLOT_INVALID, CRYPT_SLOT_INACTIVE:
                    throw .noSuchKeyslot(keyslot: keyslot)
                default: break
                }
            }
            throw log.failure("opening a keyslot", result)
        }
    }

    /// Maps the volume as `/dev/mapper/NAME`; needs device-mapper.
    public func activate(
        name: String, volumeKey: borrowing SecretBytes, readOnly: Bool = false
    ) throws(LUKSError) {
        let flags = readOnly ? bootgate_CRYPT_ACTIVATE_READONLY() : 0
        let key = unsafe volumeKey.characters
        let device = unsafe device
        let result = LUKSLibrary.call {
            unsafe crypt_activate_by_volume_key(
                device, name, key.baseAddress, key.count, flags)
        }
        if result < 0 { throw log.failure("mapping \(name)", result) }
    }
}

/// A volume key and the keyslot that it came from.
public struct OpenedKeyslot: ~Copyable {
    /// The keyslot's number.
    public let number: Int
    /// The volume key.
    public let key: SecretBytes
}

extension SecretBytes {
    /// The bytes as C takes a passphrase; a secret keeps its address for life, so the pointer is good
    /// for as long as the caller holds the secret.
    var characters: UnsafeBufferPointer<CChar> {
        unsafe withBytes { unsafe $0.assumingMemoryBound(to: CChar.self) }
    }
}

extension LUKSLog {
    func failure(_ operation: String, _ result: Int32) -> LUKSError {
        .failed(operation: operation, errno: -result, message: take())
    }
}
