public import Bytes
internal import COpenSSL

/// HMAC of RFC 2104.
public enum HMAC {
    /// HMAC-SHA256 of `message`.
    public static func sha256(key: borrowing SecretBytes, _ message: [UInt8]) -> FixedBytes<32> {
        let tag = unsafe key.withBytes { key in
            let code = unsafe MessageAuthenticationCode(key: key)
            code.update(message)
            return code.finishPublic()
        }
        OpenSSLLibrary.wipeStack()
        return tag
    }
}

/// HKDF of RFC 5869 with SHA-256.
public enum HKDF {
    /// Extracts and expands.
    ///
    /// - Parameter count: bytes wanted, at most 255 times 32.
    public static func sha256(
        ikm: borrowing SecretBytes, salt: [UInt8], info: [UInt8], count: Int
    ) -> SecretBytes {
        let code = MessageAuthenticationCode(publicKey: salt)
        unsafe ikm.withBytes { unsafe code.update($0) }
        let key = code.finish()
        let result = expand(key, info: info, count: count)
        OpenSSLLibrary.wipeStack()
        return result
    }

    /// HKDF-Expand; HKDF-Extract is one ``MessageAuthenticationCode`` with the salt as its key.
    static func expand(_ key: borrowing SecretBytes, info: [UInt8], count: Int) -> SecretBytes {
        precondition(count <= 255 * 32)
        return unsafe SecretBytes(count: count) { output in
            var previous: SecretBytes?
            var offset = 0
            var counter: UInt8 = 1
            while offset < count {
                let code = unsafe key.withBytes { unsafe MessageAuthenticationCode(key: $0) }
                if let previous {
                    unsafe previous.withBytes { unsafe code.update($0) }
                }
                code.update(info)
                code.update([counter])
                let block = code.finish()
                unsafe block.withBytes { block in
                    let taken = min(32, count - offset)
                    for index in 0..<taken {
                        unsafe output[offset + index] = block[index]
                    }
                    offset += taken
                }
                previous = consume block
                // The last block may be the 255th.
                counter &+= 1
            }
        }
    }
}

/// One HMAC-SHA256 in the making.
@safe struct MessageAuthenticationCode: ~Copyable {
    private static let algorithm = Algorithm()
    private static let noKey = [UInt8](repeating: 0, count: 32)

    private let context: OpaquePointer

    /// Starts with a key that is no secret, such as a salt; an empty one counts as zeros.
    init(publicKey: [UInt8]) {
        unsafe context = publicKey.withUnsafeBytes { unsafe Self.start($0) }
    }

    init(key: UnsafeRawBufferPointer) {
        unsafe context = Self.start(key)
    }

    private static func start(_ key: UnsafeRawBufferPointer) -> OpaquePointer {
        guard let context = unsafe EVP_MAC_CTX_new(algorithm.handle) else {
            preconditionFailure("libcrypto is out of memory")
        }
        // An empty key is as many zeros (RFC 5869, section 2.2); a null one would keep the old.
        let started =
            unsafe key.isEmpty
            ? bootgate_EVP_MAC_init_sha256(context, noKey, noKey.count)
            : bootgate_EVP_MAC_init_sha256(
                context, key.bindMemory(to: UInt8.self).baseAddress, key.count)
        precondition(started == 1, "libcrypto has no HMAC-SHA256")
        return unsafe context
    }

    func update(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe update($0) }
    }

    func update(_ bytes: UnsafeRawBufferPointer) {
        guard unsafe !bytes.isEmpty else { return }
        let done = unsafe EVP_MAC_update(
            context, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
        precondition(done == 1)
    }

    consuming func finish() -> SecretBytes {
        unsafe SecretBytes(count: 32) { output in
            var written = 0
            let done = unsafe EVP_MAC_final(
                context, output.bindMemory(to: UInt8.self).baseAddress, &written, 32)
            precondition(done == 1 && written == 32)
        }
    }

    consuming func finishPublic() -> FixedBytes<32> {
        var tag = FixedBytes<32>()
        let secret = finish()
        unsafe secret.withBytes { bytes in
            for index in 0..<32 { unsafe tag[index] = bytes[index] }
        }
        return tag
    }

    deinit {
        unsafe EVP_MAC_CTX_free(context)
    }

    /// HMAC, fetched once; lives as long as the process.
    @safe private final class Algorithm: @unchecked Sendable {
        let handle: OpaquePointer

        init() {
            guard let handle = unsafe EVP_MAC_fetch(nil, "HMAC", nil) else {
                preconditionFailure("this libcrypto has no HMAC")
            }
            unsafe self.handle = handle
        }
    }
}
