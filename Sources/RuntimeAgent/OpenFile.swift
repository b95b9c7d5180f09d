import Linux

/// A file that several pieces of an answer are read from.
final class OpenFile: Sendable {
    private let file: FileDescriptor

    init(_ file: consuming FileDescriptor) {
        self.file = file
    }

    /// Bytes from `offset` on; none at the end.
    @Sendable func read(at offset: UInt64) throws(SystemError) -> [UInt8] {
        try file.readAvailable(at: offset, upTo: Stream.pieceSize)
    }
}
