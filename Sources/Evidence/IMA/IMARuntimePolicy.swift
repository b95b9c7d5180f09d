public import Bytes

/// What may be on an IMA log: digests of files, names that are not looked at, keys and buffers.
///
/// Source: Keylime 7, keylime/ima/ima.py, "runtime policy". Members that Keylime does not have are refused.
public struct IMARuntimePolicy: Sendable {
    /// The longest policy, in bytes.
    public static let maximumByteCount = 64 * 1024 * 1024
    /// The most values in one.
    public static let maximumValues = 4 * 1024 * 1024

    /// Names of files with their digests.
    public private(set) var digests = IMADigestTable()
    /// Names that are not looked at.
    public private(set) var excludes: PathPattern
    /// Names of keyrings with the digests of keys that may be added to them.
    public private(set) var keyrings = IMADigestTable()
    /// Other measured buffers with their digests.
    public private(set) var buffers = IMADigestTable()
    /// Keyrings whose keys are not looked at; `*` stands for all.
    public private(set) var ignoredKeyrings: Set<[UInt8]> = []
    /// The function of the template hashes that the policy was made for.
    public private(set) var logHash: HashAlgorithm?
    /// Keys that sign files, DER SubjectPublicKeyInfo or certificate each.
    public private(set) var verificationKeys: [[UInt8]] = []

    /// Reads Keylime's JSON, or a text of lines of a digest, white space and a name.
    ///
    /// - Throws: an error that names the member, or the line.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw .lengthOutOfBounds(
                field: "runtime policy", length: bytes.count, minimum: 0,
                maximum: Self.maximumByteCount)
        }
        excludes = try PathPattern(anyOf: [])
        let isJSON = bytes.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "{")
        if isJSON {
            try readJSON(bytes)
        } else {
            try readLines(bytes)
        }
    }

    /// Whether a buffer of that name and digest may be on the log.
    public func allowsBuffer(_ bytes: [UInt8], name: Range<Int>, digest: Range<Int>) -> Bool {
        keyrings.contains(bytes, name: name, digest: digest)
            || buffers.contains(bytes, name: name, digest: digest)
            || ignoredKeyrings.contains(Array("*".utf8))
            || ignoredKeyrings.contains(Array(bytes[name]))
    }

    private mutating func readJSON(_ bytes: [UInt8]) throws(ParseError) {
        let policy: JSONValue
        do throws(JSONError) {
            policy = try JSONReader.parse(
                bytes,
                limits: JSONReader.Limits(
                    byteCount: Self.maximumByteCount, depth: 8, values: Self.maximumValues))
        } catch {
            throw .invalid(field: "runtime policy", rule: "must be JSON: \(error)")
        }
        for member in policy.members ?? [] {
            switch member.name {
            case "meta", "release": break
            case "digests": digests = try Self.table(member.value, "digests")
            case "keyrings": keyrings = try Self.table(member.value, "keyrings")
            case "ima-buf": buffers = try Self.table(member.value, "ima-buf")
            case "excludes":
                let patterns = try Self.strings(member.value, "excludes")
                excludes = try PathPattern(anyOf: patterns)
            case "ima": try readKernelMember(member.value)
            case "verification-keys":
                verificationKeys = try Self.keys(member.value)
            default:
                throw .invalid(field: "runtime policy", rule: "has no member \(member.name)")
            }
        }
        guard policy["digests"] != nil else {
            throw .invalid(field: "digests", rule: "must be there")
        }
    }

    private mutating func readKernelMember(_ value: JSONValue) throws(ParseError) {
        guard let members = value.members else {
            throw .invalid(field: "ima", rule: "must be an object, is \(value.kind)")
        }
        for member in members {
            switch member.name {
            case "ignored_keyrings":
                let names = try Self.strings(member.value, "ignored_keyrings")
                ignoredKeyrings = Set(names.map { Array($0.utf8) })
            case "log_hash_alg":
                guard let hash = member.value.string.flatMap(HashAlgorithm.init(rawValue:)) else {
                    throw .invalid(
                        field: "log_hash_alg", rule: "must be sha1, sha256, sha384 or sha512")
                }
                logHash = hash
            case "dm_policy":
                guard member.value == .null else {
                    throw .invalid(field: "dm_policy", rule: "must be null: it is not supported")
                }
            default: throw .invalid(field: "ima", rule: "has no member \(member.name)")
            }
        }
    }

    /// Null counts as empty.
    private static func strings(
        _ value: JSONValue, _ field: String
    ) throws(ParseError) -> [String] {
        if value == .null { return [] }
        guard let elements = value.array else {
            throw .invalid(field: field, rule: "must be an array, is \(value.kind)")
        }
        var strings: [String] = []
        for element in elements {
            guard let text = element.string else {
                throw .invalid(field: field, rule: "must hold strings, holds \(element.kind)")
            }
            strings.append(text)
        }
        return strings
    }

    private static func table(
        _ value: JSONValue, _ field: String
    ) throws(ParseError) -> IMADigestTable {
        guard let members = value.members else {
            throw .invalid(field: field, rule: "must be an object, is \(value.kind)")
        }
        var table = IMADigestTable()
        for member in members {
            for text in try strings(member.value, field) {
                guard let digest = digest(text) else {
                    throw .invalid(
                        field: "\(field) of \(member.name.prefix(128))",
                        rule: "must be hexadecimal digits of a SHA-1 or SHA-2 digest")
                }
                table.insert(name: member.name.utf8, digest: digest)
            }
        }
        return table
    }

    /// A digest, with the function's name and a colon in front or without.
    private static func digest(_ text: String) -> [UInt8]? {
        var digits = text[...]
        var size: Int?
        if let colon = text.firstIndex(of: ":") {
            guard let hash = HashAlgorithm(rawValue: String(text[..<colon])) else { return nil }
            size = hash.size
            digits = text[text.index(after: colon)...]
        }
        guard let bytes = Hex.decode(digits), size ?? bytes.count == bytes.count,
            HashAlgorithm.allCases.contains(where: { $0.size == bytes.count })
        else { return nil }
        return bytes
    }

    /// Keylime's keyring: nothing, or JSON in a string with `pubkeys`, base64 of DER each.
    private static func keys(_ value: JSONValue) throws(ParseError) -> [[UInt8]] {
        guard let text = value.string else {
            throw .invalid(field: "verification-keys", rule: "must be a string")
        }
        guard !text.isEmpty else { return [] }
        guard
            let keyring = try? JSONReader.parse(
                Array(text.utf8), limits: JSONReader.Limits(byteCount: 1 << 20, depth: 8)),
            let keys = keyring["pubkeys"]?.array
        else {
            throw .invalid(
                field: "verification-keys", rule: "must be empty or a keyring with pubkeys")
        }
        var result: [[UInt8]] = []
        for key in keys {
            guard let der = key.string.flatMap({ Base64.decode($0) }) else {
                throw .invalid(field: "verification-keys", rule: "pubkeys must be base64")
            }
            result.append(der)
        }
        return result
    }

    /// What `sha256sum` writes: digest, a space, a space or `*`, name. Empty lines are passed over.
    private mutating func readLines(_ bytes: [UInt8]) throws(ParseError) {
        for (index, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
            .enumerated() where !line.isEmpty
        {
            let digits = line.prefix { $0 != 0x20 }
            guard let digest = Self.digest(String(decoding: digits, as: UTF8.self)) else {
                throw .invalid(
                    field: "line \(index + 1)", rule: "must start with a digest in hexadecimal")
            }
            var name = line.dropFirst(digits.count)
            guard name.popFirst() == 0x20, let mark = name.first else {
                throw .invalid(field: "line \(index + 1)", rule: "must have a name")
            }
            if mark == 0x20 || mark == UInt8(ascii: "*") { name.removeFirst() }
            guard !name.isEmpty else {
                throw .invalid(field: "line \(index + 1)", rule: "must have a name")
            }
            digests.insert(name: name, digest: digest)
        }
    }
}
