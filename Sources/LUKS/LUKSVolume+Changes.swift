public import Bytes
internal import CCryptsetup
import Glibc

extension LUKSVolume {
    /// PBKDF2's iterations in keyslots that ``addKeyslot(volumeKey:passphrase:keyslot:)`` makes: the
    /// fewest that LUKS2 allows.
    public static let iterations = 1000

    /// Adds a keyslot that `passphrase` opens, as `keyslot` or in the first free place; returns its
    /// number.
    ///
    /// The derivation is the cheapest that LUKS2 knows, so `passphrase` must be random: 32 bytes of
    /// randomness gain nothing from being stretched, and every boot waits for it.
    public func addKeyslot(
        volumeKey: borrowing SecretBytes, passphrase: borrowing SecretBytes,
        keyslot: Int? = nil
    ) throws(LUKSError) -> Int {
        let chosen = unsafe withCheapestDerivation { derivation in
            unsafe crypt_set_pbkdf_type(device, derivation)
        }
        if chosen < 0 { throw log.failure("choosing the key derivation", chosen) }
        let result = unsafe add(
            device, keyslot.map { Int32($0) } ?? CRYPT_ANY_SLOT, volumeKey.characters,
            passphrase.characters)
        if result < 0 { throw log.failure("adding a keyslot", result) }
        return Int(result)
    }

    /// Wipes and removes a keyslot.
    public func removeKeyslot(_ keyslot: Int) throws(LUKSError) {
        let device = unsafe device
        let result = LUKSLibrary.call { unsafe crypt_keyslot_destroy(device, Int32(keyslot)) }
        if result < 0 { throw log.failure("removing keyslot \(keyslot)", result) }
    }

    /// Stores a token in JSON, as `token` or in the first free place; returns its number.
    @discardableResult
    public func setToken(json: String, token: Int? = nil) throws(LUKSError) -> Int {
        let device = unsafe device
        let result = LUKSLibrary.call {
            unsafe crypt_token_json_set(device, token.map { Int32($0) } ?? CRYPT_ANY_TOKEN, json)
        }
        if result < 0 { throw log.failure("storing a token", result) }
        return Int(result)
    }

    /// Removes a token.
    public func removeToken(_ token: Int) throws(LUKSError) {
        let device = unsafe device
        let result = LUKSLibrary.call { unsafe crypt_token_json_set(device, Int32(token), nil) }
        if result < 0 { throw log.failure("removing token \(token)", result) }
    }

    /// Makes a new LUKS2 volume of aes-xts-plain64 with a 512-bit key and no keyslot.
    ///
    /// What the device held is lost. The volume key's digest is as cheap as keyslots are here, as the
    /// key is random.
    ///
    /// - Parameter volumeKey: The key to use; nil takes a random one.
    public static func format(
        device path: String, volumeKey: borrowing SecretBytes, sectorSize: Int = 512,
        uuid: String? = nil
    ) throws(LUKSError) -> LUKSVolume {
        let (device, log) = try unsafe handle(path, header: nil, locking: true)
        let key = unsafe volumeKey.characters
        let result = unsafe withCheapestDerivation { derivation in
            var parameters = unsafe crypt_params_luks2()
            unsafe parameters.pbkdf = derivation
            unsafe parameters.sector_size = UInt32(sectorSize)
            return LUKSLibrary.call {
                unsafe crypt_format(
                    device, "LUKS2", "aes", "xts-plain64", uuid, key.baseAddress, key.count,
                    &parameters)
            }
        }
        guard result >= 0 else {
            let failure = log.failure("formatting \(path)", result)
            LUKSLibrary.call { unsafe crypt_free(device) }
            throw failure
        }
        return unsafe LUKSVolume(owning: device, log)
    }
}

// Apart from the method: the 6.3.1 compiler crashes on a closure there (SendNonSendable).
private func add(
    _ device: OpaquePointer, _ keyslot: Int32, _ key: UnsafeBufferPointer<CChar>,
    _ passphrase: UnsafeBufferPointer<CChar>
) -> Int32 {
    LUKSLibrary.call {
        unsafe crypt_keyslot_add_by_volume_key(
            device, keyslot, key.baseAddress, key.count, passphrase.baseAddress, passphrase.count)
    }
}

/// Lends the cheapest PBKDF2.
private func withCheapestDerivation(
    _ body: (UnsafePointer<crypt_pbkdf_type>) -> Int32
) -> Int32 {
    unsafe "pbkdf2".withCString { type in
        unsafe "sha256".withCString { hash in
            var derivation = unsafe crypt_pbkdf_type()
            unsafe derivation.type = type
            unsafe derivation.hash = hash
            unsafe derivation.iterations = UInt32(LUKSVolume.iterations)
            unsafe derivation.flags = bootgate_CRYPT_PBKDF_NO_BENCHMARK()
            return unsafe body(&derivation)
        }
    }
}
