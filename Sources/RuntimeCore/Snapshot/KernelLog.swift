import Bytes
import Evidence
import Linux

/// The kernel's IMA log, read through once, in parts.
enum KernelLog {
    /// How long it was, and the function that the kernel hashes files with, where an entry tells.
    struct Summary {
        var extent = SnapshotDetails.IMAExtent(entries: 0, bytes: 0)
        var hash: HashAlgorithm?
        private var hasFile = false

        fileprivate mutating func add(_ entry: borrowing IMAEntry) {
            extent.entries += 1
            // The first entry of all may be of another function than those of files.
            guard !hasFile, let algorithm = entry.algorithm, !entry.isViolation else { return }
            hasFile = !entry.data[entry.name].elementsEqual("boot_aggregate".utf8)
            hash = algorithm
        }
    }

    /// Gives each entry that has a digest of a file or a buffer; nil where there is no log.
    static func read(
        _ path: String, _ body: (borrowing IMAEntry) throws(SnapshotFault) -> Void
    ) throws(SnapshotFault) -> Summary? {
        guard let file = try open(path) else { return nil }
        var summary = Summary()
        var start: [UInt8] = []
        while start.count < 600 {
            let part = try part(of: file)
            if part.isEmpty { break }
            start += part
        }
        summary.extent.bytes = Int64(start.count)
        guard !start.isEmpty else { return summary }
        var reader = try parsing { () throws(ParseError) in
            IMALogReader(try IMALogForm(detecting: start))
        }
        reader.append(start[...])
        while true {
            while try parsing({ () throws(ParseError) in try reader.next() }) {
                summary.add(reader.entry)
                if reader.entry.isComparable { try body(reader.entry) }
            }
            let part = try part(of: file)
            guard !part.isEmpty else { break }
            summary.extent.bytes += Int64(part.count)
            reader.append(part[...])
        }
        try parsing { () throws(ParseError) in try reader.finish() }
        return summary
    }

    private static func parsing<Value>(
        _ body: () throws(ParseError) -> Value
    ) throws(SnapshotFault) -> Value {
        do throws(ParseError) {
            return try body()
        } catch {
            throw .log(error)
        }
    }

    private static func part(of file: borrowing FileDescriptor) throws(SnapshotFault) -> [UInt8] {
        do throws(SystemError) {
            return try file.read(upTo: 65536)
        } catch {
            throw .system(error)
        }
    }

    private static func open(_ path: String) throws(SnapshotFault) -> FileDescriptor? {
        do throws(SystemError) {
            return try FileDescriptor(path, .read)
        } catch {
            guard error.isNotFound else { throw .system(error) }
            return nil
        }
    }
}

extension IMAEntry {
    /// Whether it has a name and a digest that a snapshot can hold; a violation's digest is none.
    fileprivate var isComparable: Bool {
        !isViolation && !name.isEmpty
            && HashAlgorithm.allCases.contains { $0.size == digest.count }
    }
}
