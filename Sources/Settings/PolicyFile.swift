import Bytes
import Evidence
public import Policy

extension AppraisalPolicy {
    /// Reads a policy as an owner writes it; `docs/policy.md` explains each key.
    ///
    /// A key that is not known is refused, since it might have been meant to forbid something.
    public init(toml text: String) throws(SettingsError) {
        let rules = try TOMLDocument(parsing: text).read { reader throws(SettingsError) in
            try PolicyRules(from: &reader)
        }
        do {
            try self.init(validating: rules)
        } catch {
            throw SettingsError(path: error.path, expected: error.expected, actual: error.actual)
        }
    }
}

extension PolicyRules {
    fileprivate init(from reader: inout TOMLReader) throws(SettingsError) {
        self.init(name: try reader.string("name"))
        description = try reader.optionalString("description") ?? description
        lowestClass = try reader.optionalChoice("class") ?? lowestClass
        anchor = try reader.optionalChoice("anchor") ?? anchor
        vmpl = try reader.optionalInteger("vmpl", in: 0...3).map(UInt8.init) ?? vmpl
        let signers = try reader.optionalChoices("signing_key", Signer.self)
        signingKeys = signers.map { Set($0.map(\.key)) } ?? signingKeys
        measurements = try reader.tables("measurement") { entry throws(SettingsError) in
            try ReferenceMeasurement(from: &entry)
        }
        try readMinimumTCB(&reader)
        try readGuestPolicy(&reader)
        try reader.optionalTable("platform") { table throws(SettingsError) in
            platform = try table.bits()
        }
        try reader.optionalTable("id_block") { table throws(SettingsError) in
            idKeyDigests = try table.digests("id_key_sha384")
            authorKeyDigests = try table.digests("author_key_sha384")
        }
        try reader.optionalTable("chips") { table throws(SettingsError) in
            allowedChips = try table.chips("allow")
            deniedChips = try table.chips("deny")
        }
        providers = Set(try reader.optionalStrings("providers") ?? [])
        mitigations = try reader.optionalMask("mitigations")
        try reader.optionalTable("tdx") { table throws(SettingsError) in
            tdx = try TDXRules(from: &table)
        }
        try reader.optionalTable("tpm") { table throws(SettingsError) in
            tpm = try TPMRules(from: &table)
        }
        try reader.optionalTable("boot") { table throws(SettingsError) in
            boot = try BootRules(from: &table)
        }
        runtime = try reader.optionalTable("runtime") { table throws(SettingsError) in
            try RuntimeRules(from: &table)
        }
        try reader.optionalTable("endorsements") { table throws(SettingsError) in
            requiresRevocationList =
                try table.optionalBool("revocation_list") ?? requiresRevocationList
            maximumEndorsementAge = try table.optionalInteger("maximum_age_days", in: 1...3650)
                .map(UInt16.init)
        }
    }

    private mutating func readMinimumTCB(_ reader: inout TOMLReader) throws(SettingsError) {
        try reader.optionalTable("minimum_tcb") { table throws(SettingsError) in
            for product in SNPProduct.allCases {
                let minimum = try table.optionalTable(product.rawValue) {
                    line throws(SettingsError) in
                    var minimum: [TCBComponent: UInt8] = [:]
                    for part in product.components {
                        minimum[part] = UInt8(try line.integer(part.rawValue, in: 0...255))
                    }
                    return minimum
                }
                minimumTCB[product] = minimum
            }
        }
    }

    private mutating func readGuestPolicy(_ reader: inout TOMLReader) throws(SettingsError) {
        try reader.optionalTable("guest_policy") { table throws(SettingsError) in
            allowsDebug = try table.optionalBool("debug") ?? allowsDebug
            allowsMigration = try table.optionalBool("migration") ?? allowsMigration
            minimumABI = try table.version("minimum_abi")
            guestPolicy = try table.bits()
        }
    }
}

/// What a policy may name as a signing key: all kinds but none at all.
private enum Signer: String, CaseIterable {
    case vcek, vlek

    var key: SNPSigningKey {
        switch self {
        case .vcek: .vcek
        case .vlek: .vlek
        }
    }
}

extension ReferenceMeasurement {
    fileprivate init(from reader: inout TOMLReader) throws(SettingsError) {
        let label = try reader.string("label")
        let launchDigest: FixedBytes<48>? = try reader.optionalDigest("sha384")
        let mrTD: FixedBytes<48>? = try reader.optionalDigest("mrtd")
        var rtmr: [Int: FixedBytes<48>] = [:]
        for index in 0..<3 {
            rtmr[index] = try reader.optionalDigest("rtmr\(index)")
        }
        let registers: MeasuredRegisters
        switch (launchDigest, mrTD) {
        case (let digest?, nil) where rtmr.isEmpty: registers = .launchDigest(digest)
        case (nil, let mrTD?): registers = .td(mrTD: mrTD, rtmr: rtmr)
        case (nil, nil):
            throw reader.error(
                "sha384", expected: "sha384 of SNP, or mrtd with rtmr0 to rtmr2 of TDX",
                actual: "nothing")
        default:
            throw reader.error(
                "mrtd", expected: "sha384 of SNP, or mrtd with rtmr0 to rtmr2 of TDX",
                actual: "values of both")
        }
        guard let covers = try reader.optionalChoices("covers", Coverage.self) else {
            throw reader.error(
                "covers", expected: "a list of what the measurement covers", actual: "nothing")
        }
        self.init(label: label, registers: registers, covers: covers)
    }
}

extension TOMLReader {
    /// The bits that the table sets, by the names of `Bit`.
    mutating func bits<Bit: RawRepresentable<String> & CaseIterable & Hashable>()
        throws(SettingsError) -> [Bit: Bool]
    {
        var bits: [Bit: Bool] = [:]
        for bit in Bit.allCases {
            bits[bit] = try optionalBool(bit.rawValue)
        }
        return bits
    }

    /// A value of `count` bytes in hexadecimal digits; nil where the key is absent.
    mutating func optionalDigest<let count: Int>(
        _ key: String
    ) throws(SettingsError) -> FixedBytes<count>? {
        guard let text = try optionalString(key) else { return nil }
        guard let value = FixedBytes<count>(hex: text) else {
            throw error(
                key, expected: "\(2 * count) hexadecimal digits",
                actual: "\(TOMLNode.string(text))")
        }
        return value
    }

    mutating func digests<let count: Int>(
        _ key: String
    ) throws(SettingsError) -> Set<FixedBytes<count>> {
        try values(key, "\(2 * count) hexadecimal digits") { FixedBytes(hex: $0) }
    }

    /// CHIP_ID in full, or the eight bytes that Turin uses of it; the rest is then zero.
    fileprivate mutating func chips(_ key: String) throws(SettingsError) -> Set<FixedBytes<64>> {
        try values(key, "128 hexadecimal digits, or 16 for Turin") { text in
            text.utf8.count == 16
                ? FixedBytes(hex: text + String(repeating: "0", count: 112)) : FixedBytes(hex: text)
        }
    }

    private mutating func values<Value: Hashable>(
        _ key: String, _ expected: String, _ convert: (String) -> Value?
    ) throws(SettingsError) -> Set<Value> {
        var values: Set<Value> = []
        for (index, text) in (try optionalStrings(key) ?? []).enumerated() {
            guard let value = convert(text) else {
                throw error(
                    key, expected: "\(expected) as item \(index)",
                    actual: "\(TOMLNode.string(text))")
            }
            guard values.insert(value).inserted else {
                throw error(
                    key, expected: "each value once",
                    actual: "\(TOMLNode.string(text)) again")
            }
        }
        return values
    }

    /// `"0x3"`: 1 to 16 hexadecimal digits; a TOML integer has no room for bit 63.
    mutating func optionalMask(_ key: String) throws(SettingsError) -> UInt64? {
        guard let text = try optionalString(key) else { return nil }
        let digits = text.dropFirst(2)
        guard text.hasPrefix("0x"), (1...16).contains(digits.utf8.count),
            let mask = UInt64(digits, radix: 16), !digits.hasPrefix("+")
        else {
            throw error(
                key, expected: "hexadecimal bits such as \"0x3\"",
                actual: "\(TOMLNode.string(text))")
        }
        return mask
    }

    /// `"MAJOR.MINOR"`, both decimal; a TOML fraction would not tell 1.5 from 1.50.
    fileprivate mutating func version(_ key: String) throws(SettingsError) -> ABIVersion? {
        guard let text = try optionalString(key) else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = UInt8(parts[0]), let minor = UInt8(parts[1]),
            text == "\(major).\(minor)"
        else {
            throw error(
                key, expected: "a version such as \"1.55\"", actual: "\(TOMLNode.string(text))")
        }
        return ABIVersion(major: major, minor: minor)
    }
}
