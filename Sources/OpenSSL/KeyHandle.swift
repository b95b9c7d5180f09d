internal import COpenSSL

/// Owns one `EVP_PKEY`, which is immutable once made and may be used by several threads.
@safe final class KeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over `pointer`.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
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
