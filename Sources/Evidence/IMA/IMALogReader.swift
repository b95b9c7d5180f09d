public import Bytes

/// Reads an IMA log entry by entry, from bytes that may come in pieces, in constant memory.
///
/// Nothing is allocated for an entry once the buffers have the size of the longest one. Sources: Linux,
/// security/integrity/ima/ima_fs.c (`ima_measurements_show`, `ima_ascii_measurements_show`).
public struct IMALogReader: Sendable {
    /// The longest entry that is read, in bytes of the log.
    public static let maximumEntry = 4 * 1024 * 1024
    /// The longest name of a template.
    public static let maximumTemplateName = 256
    /// The longest name of a file: the kernel's PATH_MAX and what it puts around it.
    public static let maximumName = 8192

    /// How the log is written.
    public let form: IMALogForm
    /// The entry that was read last.
    public internal(set) var entry = IMAEntry()
    /// How many entries were read.
    public private(set) var count = 0

    var bytes: [UInt8] = []
    var offset = 0
    private var templates: [(name: [UInt8], template: IMATemplate)] = []
    private var current = 0

    /// Reads a log of that form, of which nothing has come yet.
    public init(_ form: IMALogForm) {
        self.form = form
        entry.templateHash = [UInt8](repeating: 0, count: form.hash.size)
        entry.data = [UInt8](repeating: 0, count: 1024)
    }

    /// Takes the next bytes of the log, of any number.
    public mutating func append(_ more: ArraySlice<UInt8>) {
        if offset == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            offset = 0
        } else if offset > 0 {
            bytes.removeFirst(offset)
            offset = 0
        }
        bytes.append(contentsOf: more)
    }

    /// How many bytes have come and were not read.
    public var remaining: Int { bytes.count - offset }

    /// Reads one more entry into ``entry``; false where the bytes so far hold no whole one.
    ///
    /// - Throws: an error that names the field and the number of the entry, and the same again from then on.
    public mutating func next() throws(ParseError) -> Bool {
        entry.index = count
        let isWhole =
            switch form {
            case .ascii: try line()
            case .binary: try record()
            }
        guard isWhole else {
            guard remaining <= Self.maximumEntry else {
                throw .invalid(field: "entry \(count)", rule: "has at most 4 MiB")
            }
            return false
        }
        count += 1
        return true
    }

    /// Makes what is left of a text its last line: copies of logs may lack the last line feed.
    public mutating func endText() {
        guard case .ascii = form, remaining > 0 else { return }
        append([0x0a])
    }

    /// Refuses what is left: half an entry.
    public func finish() throws(ParseError) {
        guard remaining == 0 else {
            throw .truncated(
                field: "entry \(count)", needed: remaining + 1, available: remaining)
        }
    }

    /// Takes the template called `bytes[range]`; almost always the one before.
    mutating func selectTemplate(_ range: Range<Int>) throws(ParseError) {
        if current < templates.count, isName(templates[current].name, range) { return }
        if let index = templates.firstIndex(where: { isName($0.name, range) }) {
            current = index
        } else {
            let name = Array(bytes[range])
            guard templates.count < 64,
                let template = IMATemplate(named: String(decoding: name, as: UTF8.self))
            else {
                throw .invalid(
                    field: "template name of entry \(count)", rule: "must be one of the kernel's")
            }
            templates.append((name, template))
            current = templates.count - 1
        }
        entry.template = templates[current].template
    }

    private func isName(_ name: [UInt8], _ range: Range<Int>) -> Bool {
        name.count == range.count && bytes.isEqual(range, to: name, at: 0)
    }

    /// Makes room for `byteCount` bytes of template data.
    mutating func reserve(_ byteCount: Int) {
        if entry.data.count < byteCount {
            entry.data += [UInt8](repeating: 0, count: byteCount - entry.data.count)
        }
    }
}
