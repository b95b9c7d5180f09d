import Bytes
import Linux
import OpenSSL

/// Digests of whole files, one after the other, in memory that is allocated once.
struct FileHasher: ~Copyable {
    /// What came of a file.
    enum Outcome {
        /// Its digest.
        case digest([UInt8])
        /// It is no regular file, or no longer.
        case other
        /// Something lies over it, so that this process does not see it.
        case covered
        /// It was written to each time that it was read.
        case changing
        /// Nobody wants it any more.
        case cancelled
    }

    /// Reads of a size at which the calls no longer show beside the hashing.
    private static let partSize = 256 * 1024

    private var function: RunningHash
    private var buffer = [UInt8](repeating: 0, count: partSize)

    init(_ function: consuming RunningHash) {
        self.function = function
    }

    /// Hashes a file from its start. One that is changed meanwhile is hashed once more.
    mutating func hash(
        _ file: borrowing FileDescriptor, _ progress: SnapshotProgress? = nil
    ) throws(SystemError) -> Outcome {
        var mark = try FileMark(of: file)
        guard mark.isRegular else { return .other }
        guard !mark.isCover else { return .covered }
        if mark.size > Self.partSize { file.willReadSequentially() }
        for _ in 0..<2 {
            guard let digest = try digest(of: file, mark, progress) else { return .cancelled }
            let now = try FileMark(of: file)
            if now == mark { return .digest(digest) }
            mark = now
            try file.rewind()
        }
        return .changing
    }

    private mutating func digest(
        of file: borrowing FileDescriptor, _ mark: FileMark, _ progress: SnapshotProgress?
    ) throws(SystemError) -> [UInt8]? {
        var total: Int64 = 0
        do throws(SystemError) {
            while true {
                let count = try file.read(into: &buffer)
                function.update(buffer, count: count)
                total += Int64(count)
                progress?.add(bytes: count)
                // A read that stops short of the buffer where the file ends needs no other to tell the end.
                if count == 0 || (count < buffer.count && total == mark.size) { break }
                if progress?.isCancelled == true {
                    _ = function.finish()
                    return nil
                }
            }
        } catch {
            // What was read of this file must not become part of the next one's digest.
            _ = function.finish()
            throw error
        }
        return function.finish()
    }
}
