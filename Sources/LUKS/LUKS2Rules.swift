/// What a header must say before libcryptsetup may see it.
///
/// libcryptsetup itself opens a volume whose segment or keyslot has a null cipher ("Trail of Bits:
/// LUKS2 in confidential VMs", 2025), and derives with whatever cost the header names.
public struct LUKS2Rules: Sendable {
    /// The one cipher for the data and for keyslot areas, in dm-crypt's notation.
    public var cipher = "aes-xts-plain64"
    /// Bits of the volume key.
    public var keyBits = 512
    /// PBKDF2 iterations accepted at most, in keyslots and digests: some ten seconds.
    public var maximumIterations = 20_000_000
    /// Argon2's memory accepted at most, in KiB: 4 GiB, the most that cryptsetup takes.
    public var maximumMemory = 4 << 20
    /// Argon2's passes accepted at most.
    public var maximumTime = 64
    /// Argon2's lanes accepted at most.
    public var maximumLanes = 16

    /// The rules for a volume that cryptsetup made with its defaults.
    public init() {}

    /// The rules for a volume of `cipher` with a key of `keyBits`.
    public init(cipher: String, keyBits: Int) {
        self.cipher = cipher
        self.keyBits = keyBits
    }

    /// Refuses `header` at the first rule that it breaks.
    ///
    /// - Parameter keyslot: The keyslot that is going to be opened, once it is known.
    public func check(_ header: LUKS2Header, keyslot: Int? = nil) throws(LUKS2Fault) {
        try checkSegments(header)
        guard !header.keyslots.isEmpty else {
            throw .rule(path: "$.keyslots", expected: "at least one", actual: "none")
        }
        for slot in header.keyslots {
            try check(slot)
        }
        try checkDigests(header)
        try checkTokens(header)
        if let keyslot, !header.keyslots.contains(where: { $0.number == keyslot }) {
            throw .rule(path: "$.keyslots", expected: "keyslot \(keyslot)", actual: "none such")
        }
    }

    private func checkSegments(_ header: LUKS2Header) throws(LUKS2Fault) {
        guard header.segments.count == 1, let segment = header.segments.first else {
            throw .rule(
                path: "$.segments", expected: "exactly one", actual: "\(header.segments.count)")
        }
        let path = "$.segments.\(segment.number)"
        guard segment.number == 0 else {
            throw .rule(path: "$.segments", expected: "segment 0", actual: "\(segment.number)")
        }
        try require("\(path).encryption", "\"\(cipher)\"", "\"\(segment.encryption.printable)\"")
        guard segment.size == nil else {
            throw .rule(
                path: "\(path).size", expected: "\"dynamic\"", actual: "\"\(segment.size ?? 0)\"")
        }
        guard [512, 1024, 2048, 4096].contains(segment.sectorSize) else {
            throw .rule(
                path: "\(path).sector_size", expected: "512, 1024, 2048 or 4096",
                actual: "\(segment.sectorSize)")
        }
        guard segment.offset.isMultiple(of: 4096), segment.offset >= 2 * header.binary.headerSize
        else {
            throw .rule(
                path: "\(path).offset",
                expected: "a multiple of 4096 behind both headers", actual: "\(segment.offset)")
        }
        try require("\(path).iv_tweak", "\"0\"", "\"\(segment.ivTweak)\"")
    }

    private func check(_ keyslot: LUKS2Keyslot) throws(LUKS2Fault) {
        let path = "$.keyslots.\(keyslot.number)"
        try require("\(path).key_size", "\(keyBits / 8)", "\(keyslot.keySize)")
        try require(
            "\(path).area.encryption", "\"\(cipher)\"", "\"\(keyslot.areaEncryption.printable)\"")
        try require("\(path).area.key_size", "\(keyBits / 8)", "\(keyslot.areaKeySize)")
        // The anti-forensic splitter makes 4000 stripes of the key.
        let needed = keyslot.keySize * 4000
        guard keyslot.area.count >= needed else {
            throw .rule(
                path: "\(path).area.size", expected: "at least \(needed)",
                actual: "\(keyslot.area.count)")
        }
        try check(keyslot.derivation, "\(path).kdf")
    }

    private func check(
        _ derivation: LUKS2KeyDerivation, _ path: String
    ) throws(LUKS2Fault) {
        switch derivation {
        case .pbkdf2(_, let iterations):
            try cap("\(path).iterations", iterations, maximumIterations)
        case .argon2(_, let time, let memory, let lanes):
            try cap("\(path).time", time, maximumTime)
            try cap("\(path).memory", memory, maximumMemory)
            try cap("\(path).cpus", lanes, maximumLanes)
        }
    }

    private func checkDigests(_ header: LUKS2Header) throws(LUKS2Fault) {
        guard header.digests.count == 1, let digest = header.digests.first else {
            throw .rule(
                path: "$.digests", expected: "exactly one", actual: "\(header.digests.count)")
        }
        let path = "$.digests.\(digest.number)"
        try require("\(path).segments", "[0]", "\(digest.segments.sorted())")
        try require(
            "\(path).keyslots", "\(header.keyslots.map(\.number))", "\(digest.keyslots.sorted())")
        try check(digest.derivation, path)
    }

    private func checkTokens(_ header: LUKS2Header) throws(LUKS2Fault) {
        let numbers = Set(header.keyslots.map(\.number))
        for token in header.tokens where !token.keyslots.isSubset(of: numbers) {
            throw .rule(
                path: "$.tokens.\(token.number).keyslots", expected: "keyslots that exist",
                actual: "\(token.keyslots.sorted())")
        }
    }

    private func require(
        _ path: String, _ expected: String, _ actual: String
    ) throws(LUKS2Fault) {
        guard expected == actual else {
            throw .rule(path: path, expected: expected, actual: actual)
        }
    }

    private func cap(_ path: String, _ value: Int, _ maximum: Int) throws(LUKS2Fault) {
        guard value <= maximum else {
            throw .rule(path: path, expected: "at most \(maximum)", actual: "\(value)")
        }
    }
}
