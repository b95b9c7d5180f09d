public import Bytes
import CLinux
import Glibc

/// The kernel's random generator, by `getrandom` with flags 0: it blocks until it is seeded.
public enum Random {
    /// `count` random bytes that are no secret: a nonce, an identifier.
    public static func bytes(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe fill(UnsafeMutableRawBufferPointer(buffer.extracting(0..<count)))
            filled = count
        }
    }

    /// `count` random bytes that are a secret.
    public static func secret(_ count: Int) -> SecretBytes {
        unsafe SecretBytes(count: count) { unsafe fill($0) }
    }

    private static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var offset = 0
        while offset < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[offset...])
            let got = unsafe bootgate_getrandom(rest.baseAddress, rest.count)
            if got < 0, errno == EINTR { continue }
            precondition(got > 0, "getrandom failed, and nothing can go on without it")
            offset += got
        }
    }
}
