import Bytes

/// A tar archive of regular files and nothing else: the `ustar` format of POSIX.1-1988, written in one way.
///
/// Owner, group and times are zero and the mode is 0644, so that the same files make the same bytes. The
/// reader takes exactly what the writer makes: each header is made anew from its name and size, and
/// compared. A standard `tar` reads such a file too.
package enum TarFile {
    /// A file in an archive.
    package struct Member: Sendable, Equatable {
        /// Its path, of at most 100 bytes behind and 155 bytes before some slash.
        package let path: String
        /// Its content.
        package let content: [UInt8]

        /// Takes a file.
        package init(path: String, content: [UInt8]) {
            self.path = path
            self.content = content
        }
    }

    private static let block = 512

    /// An archive of `members` in their order; nil where a path is too long for the format.
    package static func encode(_ members: [Member]) -> [UInt8]? {
        var writer = ByteWriter()
        for member in members {
            guard let header = header(member.path, size: member.content.count) else { return nil }
            writer.raw(header)
            writer.raw(member.content)
            writer.zeros(padding(member.content.count))
        }
        writer.zeros(2 * block)
        return writer.bytes
    }

    /// Reads what ``encode(_:)`` writes; nil for anything else.
    ///
    /// - Parameter count: how many members there may be.
    package static func decode(_ bytes: [UInt8], atMost count: Int) -> [Member]? {
        guard bytes.count % block == 0, bytes.count >= 2 * block else { return nil }
        var rest = bytes[...]
        var members: [Member] = []
        while rest.count > 2 * block {
            let found = Array(rest.prefix(block))
            rest = rest.dropFirst(block)
            guard members.count < count, let (path, size) = nameAndSize(found),
                header(path, size: size) == found, size <= rest.count - 2 * block
            else { return nil }
            let content = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            let padding = padding(size)
            guard rest.prefix(padding).allSatisfy({ $0 == 0 }) else { return nil }
            rest = rest.dropFirst(padding)
            members.append(Member(path: path, content: content))
        }
        guard rest.count == 2 * block, rest.allSatisfy({ $0 == 0 }) else { return nil }
        return members
    }

    private static func padding(_ size: Int) -> Int { (block - size % block) % block }

    private static func nameAndSize(_ header: [UInt8]) -> (path: String, size: Int)? {
        func text(_ range: Range<Int>) -> String? {
            String(validating: header[range].prefix { $0 != 0 }, as: UTF8.self)
        }
        guard let name = text(0..<100), let prefix = text(345..<500), let digits = text(124..<135),
            let size = Int(digits, radix: 8), size >= 0
        else { return nil }
        return (prefix.isEmpty ? name : prefix + "/" + name, size)
    }

    /// Fields of POSIX.1-1988, section 10.1.1, table 10-1.
    private static func header(_ path: String, size: Int) -> [UInt8]? {
        guard let (prefix, name) = split(path), size < 1 << 33 else { return nil }
        var writer = ByteWriter()
        func field(_ bytes: [UInt8], _ count: Int) {
            writer.raw(bytes)
            writer.zeros(count - bytes.count)
        }
        func number(_ value: Int, _ count: Int) {
            let digits = String(value, radix: 8)
            let zeros = String(repeating: "0", count: count - 1 - digits.count)
            field(Array((zeros + digits).utf8), count)
        }
        field(name, 100)
        number(0o644, 8)
        number(0, 8)
        number(0, 8)
        number(size, 12)
        number(0, 12)
        // The sum is taken with blanks in its own place.
        field(Array(repeating: 0x20, count: 8), 8)
        field([UInt8(ascii: "0")], 1)
        field([], 100)
        field(Array("ustar\u{0}00".utf8), 8)
        field([], 32)
        field([], 32)
        number(0, 8)
        number(0, 8)
        field(prefix, 155)
        field([], 12)
        var header = writer.bytes
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        let digits = Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8)
        header.replaceSubrange(148..<156, with: digits + [0, 0x20])
        return header
    }

    /// What goes into the fields `prefix` and `name`.
    private static func split(_ path: String) -> (prefix: [UInt8], name: [UInt8])? {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
        if bytes.count <= 100 { return ([], bytes) }
        for (index, byte) in bytes.enumerated().reversed()
        where byte == UInt8(ascii: "/") && index <= 155 {
            let name = Array(bytes[(index + 1)...])
            return (1...100).contains(name.count) ? (Array(bytes[..<index]), name) : nil
        }
        return nil
    }
}
