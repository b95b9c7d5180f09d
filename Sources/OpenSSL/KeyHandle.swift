import Bytes
internal import COpenSSL

/// Owns one `EVP_PKEY`, which is immutable once made and may be used by several threads.
@safe final class KeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over `pointer`.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    /// Reads an unencrypted private key in PEM; nil for anything else.
    convenience init?(pem: borrowing SecretBytes) {
        let read = unsafe pem.withBytes { text in
            let bio = unsafe BIO_new_mem_buf(text.baseAddress, Int32(text.count))
            defer { unsafe BIO_free(bio) }
            return unsafe bootgate_read_private_key(bio)
        }
        guard let read = unsafe read else {
            ERR_clear_error()
            return nil
        }
        unsafe self.init(owning: read)
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// The kind of a key, if it is one that we use.
    static func kind(of key: OpaquePointer) -> SigningKey.Kind? {
        if unsafe EVP_PKEY_is_a(key, "RSA") == 1 {
            return unsafe EVP_PKEY_get_bits(key) == 4096 ? .rsa4096 : nil
        }
        guard unsafe EVP_PKEY_is_a(key, "EC") == 1 else { return nil }
        var name = [CChar](repeating: 0, count: 32)
        var count = 0
        guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1 else {
            ERR_clear_error()
            return nil
        }
        switch String(decoding: name.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self) {
        case "prime256v1": return .p256
        case "secp384r1": return .p384
        default: return nil
        }
    }
}
