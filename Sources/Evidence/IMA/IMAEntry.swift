public import Bytes

/// The entry that an ``IMALogReader`` stands at; the bytes lie in buffers that the next entry uses again.
public struct IMAEntry: Sendable {
    /// Its place in the log, from 0.
    public internal(set) var index = -1
    /// The register that it was extended into; 10 unless the kernel's policy says otherwise.
    public internal(set) var register = 0
    /// The template hash, of the size that the log's form says.
    public internal(set) var templateHash: [UInt8] = []
    /// Whether the template hash is zero: the kernel could not measure, and extended 0xFF bytes.
    public internal(set) var isViolation = false
    /// Which fields it has.
    public internal(set) var template = IMATemplate(named: "ima-ng").unsafelyKnown
    /// The bytes that the template hash is made from, in the first ``dataByteCount`` of it.
    public internal(set) var data: [UInt8] = []
    /// How many bytes of ``data`` count.
    public internal(set) var dataByteCount = 0

    /// The function of the file's digest; nil for none, or one that nobody here computes.
    public internal(set) var algorithm: HashAlgorithm?
    /// Whether the digest is that of fs-verity.
    public internal(set) var isVerity = false
    /// Where in ``data`` the file's digest is.
    public internal(set) var digest = 0..<0
    /// Where in ``data`` the name is, without its end.
    public internal(set) var name = 0..<0
    /// Where in ``data`` the signature is; empty without one.
    public internal(set) var signature = 0..<0
    /// Where in ``data`` the measured buffer is; empty without one.
    public internal(set) var buffer = 0..<0

    /// The name as text; bytes that are not UTF-8 are shown as U+FFFD.
    public var path: String { String(decoding: data[name], as: UTF8.self) }
}

extension Optional<IMATemplate> {
    /// Of a template that the table has.
    var unsafelyKnown: IMATemplate {
        guard let self else { preconditionFailure("no such template") }
        return self
    }
}

/// How the entries of a log are written.
public enum IMALogForm: Sendable, Equatable {
    /// `ascii_runtime_measurements`, with template hashes of that function.
    case ascii(HashAlgorithm)
    /// `binary_runtime_measurements`, little-endian, with template hashes of that function.
    case binary(HashAlgorithm)

    /// The function of the template hashes.
    public var hash: HashAlgorithm {
        switch self {
        case .ascii(let hash), .binary(let hash): hash
        }
    }

    /// Tells the form by the first entry: only one size of template hash leaves a readable name behind it.
    ///
    /// - Parameter start: at least the first 600 bytes of the log, or all of it.
    /// - Throws: where it is no log's start.
    public init(detecting start: [UInt8]) throws(ParseError) {
        if let first = start.first, first == UInt8(ascii: " ") || (0x30...0x39).contains(first) {
            let words = start.prefix(160).split(separator: UInt8(ascii: " "))
            guard words.count >= 2, let hash = Self.hash(size: words[1].count / 2),
                words[1].count.isMultiple(of: 2)
            else {
                throw .invalid(field: "template hash", rule: "must be one of SHA-1 or SHA-2")
            }
            self = .ascii(hash)
            return
        }
        for hash in HashAlgorithm.allCases where start.count >= 8 + hash.size {
            let offset = 4 + hash.size
            let count = start[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            let name = start.dropFirst(offset + 4).prefix(count)
            if (1...IMALogReader.maximumTemplateName).contains(count), name.count == count,
                IMATemplate(named: String(decoding: name, as: UTF8.self)) != nil
            {
                self = .binary(hash)
                return
            }
        }
        throw .invalid(
            field: "template name",
            rule: "must stand behind a template hash of 20, 32, 48 or 64 bytes")
    }

    private static func hash(size: Int) -> HashAlgorithm? {
        HashAlgorithm.allCases.first { $0.size == size }
    }
}
