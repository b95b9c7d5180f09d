import Glibc

/// A file mapped into memory and shared with whoever else maps it, such as a virtual device's BAR.
@safe public final class SharedMemory {
    private let region: UnsafeMutableRawBufferPointer
    private let count: Int

    /// Maps the first `count` bytes of `path`; `create` makes the file, or lengthens it, first.
    public init(_ path: String, count: Int, create: Bool = false) throws(SystemError) {
        if create, !File.exists(path) {
            _ = try FileDescriptor(path, .create(mode: 0o600))
        }
        let file = try FileDescriptor(path, .readWrite)
        if create, ftruncate(file.rawValue, off_t(count)) != 0 {
            throw .current("ftruncate", path)
        }
        let start = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue, 0)
        guard unsafe start != MAP_FAILED else { throw .current("mmap", path) }
        unsafe region = UnsafeMutableRawBufferPointer(start: start, count: count)
        self.count = count
    }

    deinit {
        unsafe munmap(region.baseAddress, region.count)
    }

    /// A little-endian word at a byte offset that is a multiple of four.
    public subscript(word offset: Int) -> UInt32 {
        get {
            precondition(offset >= 0 && offset + 4 <= self.count)
            return unsafe UInt32(littleEndian: region.load(fromByteOffset: offset, as: UInt32.self))
        }
        set {
            precondition(offset >= 0 && offset + 4 <= self.count)
            unsafe region.storeBytes(
                of: newValue.littleEndian, toByteOffset: offset, as: UInt32.self)
        }
    }

    /// Copies `count` bytes out.
    public func read(at offset: Int, count: Int) -> [UInt8] {
        precondition(offset >= 0 && count >= 0 && offset + count <= self.count)
        return unsafe Array(region[offset..<offset + count])
    }

    /// Copies bytes in.
    public func write(_ bytes: [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= self.count)
        unsafe UnsafeMutableRawBufferPointer(rebasing: region[offset...]).copyBytes(from: bytes)
    }
}
