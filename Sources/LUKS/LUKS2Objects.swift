import Bytes

/// Areas and offsets beyond this are refused before they are added to anything.
private let sizeLimit = 1 << 56

extension JSONCursor {
    func size(upTo limit: Int) throws(LUKS2Fault) -> Int {
        let size = try size()
        guard size <= limit else { throw refusal("at most \(limit)") }
        return size
    }
}

extension LUKS2Keyslot {
    init(_ number: Int, _ object: JSONCursor) throws(LUKS2Fault) {
        try object.member("type").require("luks2")
        try object.allowOnly(["type", "key_size", "priority", "af", "area", "kdf"])
        try object.checkSplitter()
        _ = try object.optionalMember("priority")?.integer(0...2)
        let area = try object.member("area")
        try area.member("type").require("raw")
        try area.allowOnly(["type", "offset", "size", "encryption", "key_size"])
        let start = try area.member("offset").size(upTo: sizeLimit)
        let count = try area.member("size").size(upTo: sizeLimit)
        self.init(
            number: number,
            keySize: try object.member("key_size").integer(1...1024),
            derivation: try LUKS2KeyDerivation(object.member("kdf")),
            area: start..<start + count,
            areaEncryption: try area.member("encryption").string(),
            areaKeySize: try area.member("key_size").integer(1...1024))
    }
}

extension JSONCursor {
    fileprivate func checkSplitter() throws(LUKS2Fault) {
        let splitter = try member("af")
        try splitter.member("type").require("luks1")
        try splitter.allowOnly(["type", "stripes", "hash"])
        _ = try splitter.member("stripes").integer(4000...4000)
        try splitter.member("hash").requireHash()
    }

    fileprivate func requireHash() throws(LUKS2Fault) {
        guard ["sha256", "sha384", "sha512"].contains(try string()) else {
            throw refusal("sha256, sha384 or sha512")
        }
    }
}

extension LUKS2KeyDerivation {
    init(_ object: JSONCursor) throws(LUKS2Fault) {
        let type = try object.member("type")
        _ = try object.member("salt").string()
        switch try type.string() {
        case "pbkdf2":
            try object.allowOnly(["type", "salt", "hash", "iterations"])
            try object.member("hash").requireHash()
            self = .pbkdf2(
                hash: try object.member("hash").string(),
                iterations: try object.member("iterations").integer(1...Int(Int32.max)))
        case let name where name == "argon2i" || name == "argon2id":
            try object.allowOnly(["type", "salt", "time", "memory", "cpus"])
            self = .argon2(
                name: name,
                time: try object.member("time").integer(1...Int(Int32.max)),
                memory: try object.member("memory").integer(1...Int(Int32.max)),
                lanes: try object.member("cpus").integer(1...Int(Int32.max)))
        default:
            throw type.refusal("argon2id, argon2i or pbkdf2")
        }
    }
}

extension LUKS2Segment {
    init(_ number: Int, _ object: JSONCursor) throws(LUKS2Fault) {
        try object.member("type").require("crypt")
        if let integrity = try object.optionalMember("integrity") {
            throw integrity.refusal("no integrity layer")
        }
        try object.allowOnly([
            "type", "offset", "size", "iv_tweak", "encryption", "sector_size",
        ])
        let size = try object.member("size")
        self.init(
            number: number, offset: try object.member("offset").size(upTo: sizeLimit),
            size: try size.string() == "dynamic" ? nil : try size.size(),
            encryption: try object.member("encryption").string(),
            sectorSize: try object.member("sector_size").integer(512...4096),
            ivTweak: try object.member("iv_tweak").size())
    }
}

extension LUKS2Digest {
    init(_ number: Int, _ object: JSONCursor) throws(LUKS2Fault) {
        try object.member("type").require("pbkdf2")
        try object.allowOnly([
            "type", "keyslots", "segments", "hash", "iterations", "salt", "digest",
        ])
        try object.member("hash").requireHash()
        _ = try object.member("salt").string()
        _ = try object.member("digest").string()
        let limit = LUKS2Metadata.objectLimit
        self.init(
            number: number, keyslots: try object.member("keyslots").objectNumbers(limit: limit),
            segments: try object.member("segments").objectNumbers(limit: limit),
            derivation: .pbkdf2(
                hash: try object.member("hash").string(),
                iterations: try object.member("iterations").integer(1...Int(Int32.max))))
    }
}

extension LUKS2Token {
    init(_ number: Int, _ object: JSONCursor) throws(LUKS2Fault) {
        self.init(
            number: number, type: try object.member("type").string(),
            keyslots: try object.member("keyslots").objectNumbers(
                limit: LUKS2Metadata.objectLimit),
            json: object.value)
    }
}
