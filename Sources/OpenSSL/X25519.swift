import Bytes
internal import COpenSSL

/// The function X25519 of RFC 7748.
enum X25519 {
    /// Makes a scalar of 32 random bytes as RFC 7748, section 5 asks: the copy that is kept.
    static func clamp(_ random: borrowing SecretBytes) throws(CryptoError) -> SecretBytes {
        guard random.count == 32 else {
            throw .wrongLength(field: "X25519 scalar", expected: "32", actual: random.count)
        }
        return unsafe random.withBytes { random in
            unsafe SecretBytes(count: 32) { scalar in
                unsafe scalar.copyMemory(from: random)
                unsafe scalar[0] &= 0xf8
                unsafe scalar[31] = scalar[31] & 0x7f | 0x40
            }
        }
    }

    /// The public key of a private one.
    static func publicKey(of key: KeyHandle) throws(CryptoError) -> FixedBytes<32> {
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = bytes.count
        let done = unsafe EVP_PKEY_get_raw_public_key(key.pointer, &bytes, &count)
        guard done == 1, let result = FixedBytes<32>(bytes) else {
            throw .library(OpenSSLFault("EVP_PKEY_get_raw_public_key"))
        }
        return result
    }

    /// The shared secret; refuses a public key of small order, for which it would be zero.
    static func sharedSecret(
        _ key: KeyHandle, with peer: FixedBytes<32>
    ) throws(CryptoError) -> SecretBytes {
        guard
            let peerPointer = unsafe EVP_PKEY_new_raw_public_key(
                EVP_PKEY_X25519, nil, peer.bytes, 32)
        else { throw .library(OpenSSLFault("EVP_PKEY_new_raw_public_key")) }
        let peerKey = unsafe KeyHandle(owning: peerPointer)
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil) else {
            throw .library(OpenSSLFault("EVP_PKEY_CTX_new_from_pkey"))
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_derive_init(context) == 1,
            unsafe EVP_PKEY_derive_set_peer(context, peerKey.pointer) == 1
        else { throw .library(OpenSSLFault("EVP_PKEY_derive_init")) }
        return try unsafe SecretBytes(count: 32) { secret throws(CryptoError) in
            var count = 32
            let done = unsafe EVP_PKEY_derive(
                context, secret.bindMemory(to: UInt8.self).baseAddress, &count)
            guard done == 1, count == 32 else {
                ERR_clear_error()
                throw .weakPublicKey
            }
        }
    }

    /// OpenSSL's copy of a clamped scalar; it is wiped with the handle.
    static func privateKey(_ scalar: borrowing SecretBytes) throws(CryptoError) -> KeyHandle {
        let pointer = unsafe scalar.withBytes { scalar in
            unsafe EVP_PKEY_new_raw_private_key(
                EVP_PKEY_X25519, nil, scalar.bindMemory(to: UInt8.self).baseAddress, 32)
        }
        guard let pointer = unsafe pointer else {
            throw .library(OpenSSLFault("EVP_PKEY_new_raw_private_key"))
        }
        return unsafe KeyHandle(owning: pointer)
    }
}
