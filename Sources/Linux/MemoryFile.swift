import CLinux
import Glibc

/// A file that exists in this process's memory only and can no longer be changed.
public struct MemoryFile: ~Copyable, Sendable {
    private let file: FileDescriptor

    /// Holds a sealed copy of `bytes`, followed by zeros up to `byteCount`; `name` is seen in `/proc`
    /// only.
    public init(name: String, _ bytes: [UInt8], byteCount: Int = 0) throws(SystemError) {
        let descriptor = unsafe bootgate_memfd(name)
        guard descriptor >= 0 else { throw .current("memfd_create") }
        let opened = FileDescriptor(owning: descriptor)
        try opened.write(bytes)
        if byteCount > bytes.count {
            // A hole: zeros that take no memory.
            guard ftruncate(descriptor, byteCount) == 0 else { throw .current("ftruncate") }
        }
        guard bootgate_seal_memfd(descriptor) == 0 else { throw .current("fcntl F_ADD_SEALS") }
        file = opened
    }

    /// Where a library of this process can open it, as long as the value lives.
    public var path: String { "/proc/self/fd/\(file.rawValue)" }
}
