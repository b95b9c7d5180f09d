public import Bytes
import Linux
public import OpenSSL

/// Seals keys for the database under the wrapping key, each to the one place it belongs.
///
/// `sealed = 1 (version of this format) || nonce (12 random bytes) || ciphertext || tag (16)`, by
/// AES-256-GCM. The additional data is `v("bootgate sealed key v1") || v(purpose) || v(vm id) ||
/// v(key name) || v(version as a uint64)`, v being a length of two bytes and the bytes; so a sealed
/// key that was moved to another VM, another column or an older enrolment does not open.
public struct KeyEnvelope: ~Copyable, Sendable {
    /// Which of a VM's two secrets it is.
    public enum Purpose: String, Sendable {
        /// The passphrase of the disk's keyslot.
        case diskKey = "disk key"
        /// The key of proofs of unlock.
        case proofKey = "proof key"
    }

    /// Where a sealed key belongs.
    public struct Place: Equatable, Sendable {
        /// The VM's id.
        public var vm: String
        /// The key's name.
        public var keyName: String
        /// The key version of the enrolment.
        public var version: Int

        /// Names a place.
        public init(vm: String, keyName: String, version: Int) {
            self.vm = vm
            self.keyName = keyName
            self.version = version
        }
    }

    /// Bytes of the wrapping key.
    public static let wrappingKeyCount = 32

    private static let format: UInt8 = 1
    private static let nonceCount = 12

    private let wrappingKey: SecretBytes

    /// Takes the wrapping key.
    public init(wrappingKey: consuming SecretBytes) {
        precondition(wrappingKey.count == Self.wrappingKeyCount)
        self.wrappingKey = wrappingKey
    }

    /// Seals `key` to `place`.
    public borrowing func seal(
        _ key: borrowing SecretBytes, _ purpose: Purpose, to place: Place
    ) throws(CryptoError) -> [UInt8] {
        let random = Random.bytes(Self.nonceCount)
        guard let nonce = FixedBytes<12>(random) else {
            preconditionFailure("asked for \(Self.nonceCount) bytes, have \(random.count)")
        }
        let text = try AESGCM.seal(
            key: wrappingKey, nonce: nonce, aad: Self.additionalData(purpose, place),
            plaintext: key)
        return [Self.format] + random + text
    }

    /// Opens what ``seal(_:_:to:)`` gave for the same purpose and place.
    public borrowing func open(
        _ sealed: [UInt8], _ purpose: Purpose, of place: Place
    ) throws(CryptoError) -> SecretBytes {
        guard sealed.first == Self.format, sealed.count > Self.nonceCount,
            let nonce = FixedBytes<12>(sealed[1...Self.nonceCount])
        else { throw .notAuthentic }
        return try AESGCM.open(
            key: wrappingKey, nonce: nonce, aad: Self.additionalData(purpose, place),
            ciphertext: Array(sealed[(1 + Self.nonceCount)...]))
    }

    /// Tells one wrapping key from another without saying anything about either:
    /// HKDF-SHA256(wrapping key, salt empty, `bootgate wrapping key check`), 32 bytes.
    public borrowing func check() -> [UInt8] {
        let label = Array("bootgate wrapping key check".utf8)
        let check = HKDF.sha256(ikm: wrappingKey, salt: [], info: label, count: 32)
        return HMAC.sha256(key: check, label).bytes
    }

    private static func additionalData(_ purpose: Purpose, _ place: Place) -> [UInt8] {
        var writer = ByteWriter()
        for text in ["bootgate sealed key v1", purpose.rawValue, place.vm, place.keyName] {
            writer.opaque(Array(text.utf8), lengthBytes: 2)
        }
        writer.bigEndian(UInt64(8), byteCount: 2)
        writer.bigEndian(UInt64(place.version))
        return writer.bytes
    }
}
