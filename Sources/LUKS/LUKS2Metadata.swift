public import Bytes

/// One keyslot of a LUKS2 header.
public struct LUKS2Keyslot: Equatable, Sendable {
    /// Its number, 0 to 31.
    public let number: Int
    /// Bytes of the volume key that it holds.
    public let keySize: Int
    /// How a passphrase becomes the key of the area.
    public let derivation: LUKS2KeyDerivation
    /// Where the wrapped key lies, in bytes from the start of the device.
    public let area: Range<Int>
    /// The cipher of the area.
    public let areaEncryption: String
    /// Bytes of the area's key.
    public let areaKeySize: Int
}

/// A password-based key derivation and what it costs.
public enum LUKS2KeyDerivation: Equatable, Sendable {
    /// PBKDF2 of RFC 8018.
    case pbkdf2(hash: String, iterations: Int)
    /// Argon2 of RFC 9106; `memory` in KiB.
    case argon2(name: String, time: Int, memory: Int, lanes: Int)
}

/// One segment of a LUKS2 header: a range of the device and how it is encrypted.
public struct LUKS2Segment: Equatable, Sendable {
    /// Its number.
    public let number: Int
    /// First byte on the device.
    public let offset: Int
    /// Bytes; nil where it reaches to the end of the device.
    public let size: Int?
    /// The cipher.
    public let encryption: String
    /// Bytes encrypted as one.
    public let sectorSize: Int
    /// What is added to the sector number for the initialisation vector.
    public let ivTweak: Int
}

/// One digest of a LUKS2 header: how a volume key is recognised.
public struct LUKS2Digest: Equatable, Sendable {
    /// Its number.
    public let number: Int
    /// The keyslots that hold the key.
    public let keyslots: Set<Int>
    /// The segments that are encrypted by the key.
    public let segments: Set<Int>
    /// PBKDF2's hash and iterations.
    public let derivation: LUKS2KeyDerivation
}

/// One token of a LUKS2 header.
public struct LUKS2Token: Equatable, Sendable {
    /// Its number, 0 to 31.
    public let number: Int
    /// Who wrote it.
    public let type: String
    /// The keyslots that it is about.
    public let keyslots: Set<Int>
    /// The whole token.
    public let json: JSONValue
}

/// What the JSON area says, in the shapes that this code knows; anything else is refused.
struct LUKS2Metadata {
    static let objectLimit = 32

    var keyslots: [LUKS2Keyslot] = []
    var segments: [LUKS2Segment] = []
    var digests: [LUKS2Digest] = []
    var tokens: [LUKS2Token] = []
    /// Both headers and the space for keyslot areas.
    let byteCount: Int

    init(parsing json: JSONValue, headerSize: Int, limit maximum: Int) throws(LUKS2Fault) {
        let root = JSONCursor(value: json, path: "$")
        try root.allowOnly(["keyslots", "tokens", "segments", "digests", "config"])
        let keyslotsSize = try Self.checkConfig(root.member("config"), headerSize: headerSize)
        byteCount = 2 * headerSize + (try keyslotsSize.size(upTo: maximum - 2 * headerSize))
        let limit = Self.objectLimit
        for (number, object) in try root.member("keyslots").numberedMembers(limit: limit) {
            keyslots.append(try LUKS2Keyslot(number, object))
        }
        for (number, object) in try root.member("segments").numberedMembers(limit: limit) {
            segments.append(try LUKS2Segment(number, object))
        }
        for (number, object) in try root.member("digests").numberedMembers(limit: limit) {
            digests.append(try LUKS2Digest(number, object))
        }
        for (number, object) in try root.member("tokens").numberedMembers(limit: limit) {
            tokens.append(try LUKS2Token(number, object))
        }
        try checkAreas(after: 2 * headerSize)
    }

    /// Checks what the header says about itself; returns the space for keyslot areas.
    private static func checkConfig(
        _ config: JSONCursor, headerSize: Int
    ) throws(LUKS2Fault) -> JSONCursor {
        try config.allowOnly(["json_size", "keyslots_size", "flags", "requirements"])
        let size = try config.member("json_size")
        guard try size.size() == headerSize - LUKS2BinaryHeader.byteCount else {
            throw size.refusal("\"\(headerSize - LUKS2BinaryHeader.byteCount)\"")
        }
        let flags = [
            "allow-discards", "same-cpu-crypt", "submit-from-crypt-cpus", "no-journal",
            "no-read-workqueue", "no-write-workqueue",
        ]
        for flag in try config.optionalMember("flags")?.elements(limit: 16) ?? [] {
            guard flags.contains(try flag.string()) else { throw flag.refusal("a known flag") }
        }
        if let requirements = try config.optionalMember("requirements") {
            try requirements.allowOnly(["mandatory"])
            let mandatory = try requirements.optionalMember("mandatory")?.elements(limit: 16)
            if let first = mandatory?.first { throw first.refusal("none") }
        }
        return try config.member("keyslots_size")
    }

    /// Keyslot areas lie behind both headers, before the data, and do not overlap.
    private func checkAreas(after start: Int) throws(LUKS2Fault) {
        let limit = min(byteCount, segments.map(\.offset).min() ?? 0)
        var end = start
        for keyslot in keyslots.sorted(by: { $0.area.lowerBound < $1.area.lowerBound }) {
            let path = "$.keyslots.\(keyslot.number).area"
            guard keyslot.area.lowerBound >= end else {
                throw .rule(
                    path: "\(path).offset", expected: "an area of its own from byte \(end) on",
                    actual: "\(keyslot.area.lowerBound)")
            }
            end = keyslot.area.upperBound
            guard end <= limit else {
                throw .rule(
                    path: "\(path).size", expected: "an end within the metadata, at \(limit)",
                    actual: "an end at \(end)")
            }
        }
    }
}
