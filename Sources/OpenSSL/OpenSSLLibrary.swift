internal import COpenSSL

/// What concerns libcrypto as a whole.
public enum OpenSSLLibrary {
    /// Makes OpenSSL wipe every block that it frees, and keep private keys in locked memory.
    ///
    /// Call it first thing in `main`: OpenSSL takes its allocator only before its first allocation.
    ///
    /// - Parameter lockedByteCount: size of the locked heap for private keys; a power of two.
    /// - Returns: whether both took effect; a program with secrets must stop if not.
    public static func useSecretHeap(lockedByteCount: Int = 1 << 17) -> Bool {
        guard bootgate_use_wiping_heap() == 1 else { return false }
        // 2 says that the heap works and could not be locked (RLIMIT_MEMLOCK); it is still wiped.
        return CRYPTO_secure_malloc_init(lockedByteCount, 32) != 0
    }

    /// Version of the library that is loaded, such as `OpenSSL 3.0.17 1 Jul 2025`.
    public static var version: String {
        guard let text = unsafe OpenSSL_version(OPENSSL_VERSION) else { return "OpenSSL" }
        return unsafe String(cString: text)
    }

    /// Overwrites the unused stack, where finished calls may have left parts of keys.
    static func wipeStack() {
        bootgate_wipe_stack()
    }
}
