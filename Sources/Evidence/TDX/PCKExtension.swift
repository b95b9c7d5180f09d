public import Bytes

/// What a PCK certificate says of its platform, in Intel's extension.
///
/// Structure: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, section
/// 1.3.5, OID 1.2.840.113741.1.13.1: a SEQUENCE of pairs of OID and value.
public struct PCKExtension: Sendable, Equatable {
    /// The extension's OID.
    public static let oid = "1.2.840.113741.1.13.1"

    /// PPID: the platform's provisioning identifier.
    public let ppid: FixedBytes<16>
    /// TCB components 1 to 16.
    public let components: [UInt8]
    /// PCESVN.
    public let pceSVN: UInt16
    /// CPUSVN, encrypted into one number by the processor.
    public let cpuSVN: FixedBytes<16>
    /// PCE-ID.
    public let pceID: FixedBytes<2>
    /// FMSPC: family, model, stepping, platform type and custom SKU.
    public let fmspc: FixedBytes<6>
    /// SGX type: 0 standard, 1 scalable, 2 scalable with integrity.
    public let sgxType: UInt8
    /// Platform instance ID; nil for a certificate of the processor CA.
    public let platformInstanceID: FixedBytes<16>?
    /// Whether processors may be added later; nil where the certificate does not say.
    public let isDynamicPlatform: Bool?
    /// Whether Intel keeps the platform's root keys; nil where the certificate does not say.
    public let hasCachedKeys: Bool?
    /// Whether simultaneous multithreading is on; nil where the certificate does not say.
    public let smtIsEnabled: Bool?

    /// Reads exactly one extension value; elements that the profile does not have are passed over, and
    /// none may be there twice.
    public init(parsing der: [UInt8]) throws(ParseError) {
        var reader = DERReader(der)
        var fields = try PCKExtensionElements(&reader, under: [], "SGX extensions")
        try reader.finish("SGX extensions")
        ppid = try fields.required(1, "PPID") { (value) throws(ParseError) in
            try value.fixed("PPID")
        }
        var tcb = try fields.required(2, "TCB") { (value) throws(ParseError) in
            try PCKExtensionElements(&value, under: [2], "TCB")
        }
        var components: [UInt8] = []
        for number in UInt8(1)...16 {
            let name = "TCB component \(number)"
            components.append(
                try tcb.required(number, name) { (value) throws(ParseError) in
                    try value.unsigned(name)
                })
        }
        self.components = components
        pceSVN = try tcb.required(17, "PCESVN") { (value) throws(ParseError) in
            try value.unsigned("PCESVN")
        }
        cpuSVN = try tcb.required(18, "CPUSVN") { (value) throws(ParseError) in
            try value.fixed("CPUSVN")
        }
        pceID = try fields.required(3, "PCE-ID") { (value) throws(ParseError) in
            try value.fixed("PCE-ID")
        }
        fmspc = try fields.required(4, "FMSPC") { (value) throws(ParseError) in
            try value.fixed("FMSPC")
        }
        sgxType = try fields.required(5, "SGX Type") { (value) throws(ParseError) in
            try value.unsigned("SGX Type", .enumerated)
        }
        platformInstanceID = try fields.optional(6, "Platform Instance ID") {
            (value) throws(ParseError) in try value.fixed("Platform Instance ID")
        }
        var configuration = try fields.optional(7, "Configuration") {
            (value) throws(ParseError) in
            try PCKExtensionElements(&value, under: [7], "Configuration")
        }
        isDynamicPlatform = try configuration?.flag(1, "Dynamic Platform")
        hasCachedKeys = try configuration?.flag(2, "Cached Keys")
        smtIsEnabled = try configuration?.flag(3, "SMT enabled")
    }
}

/// The pairs of one SEQUENCE of the extension, by the last number of their OIDs.
private struct PCKExtensionElements {
    /// 1.2.840.113741.1.13.1
    private static let arc: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01]

    private let name: String
    private var values: [UInt8: DERReader] = [:]

    init(
        _ reader: inout DERReader, under branch: [UInt8], _ name: String
    ) throws(ParseError) {
        self.name = name
        let arc = Self.arc + branch
        var sequence = try reader.element(.sequence, name)
        while !sequence.isAtEnd {
            var pair = try sequence.element(.sequence, "\(name) element")
            let oid = try pair.bytes(.objectIdentifier, "\(name) OID")
            guard oid.count == arc.count + 1, oid.starts(with: arc), let number = oid.last else {
                continue
            }
            guard values.updateValue(pair, forKey: number) == nil else {
                throw .invalid(field: name, rule: "element \(number) is there more than once")
            }
        }
    }

    mutating func optional<T>(
        _ number: UInt8, _ field: String, _ read: (inout DERReader) throws(ParseError) -> T
    ) throws(ParseError) -> T? {
        guard var reader = values.removeValue(forKey: number) else { return nil }
        let value = try read(&reader)
        try reader.finish(field)
        return value
    }

    mutating func required<T>(
        _ number: UInt8, _ field: String, _ read: (inout DERReader) throws(ParseError) -> T
    ) throws(ParseError) -> T {
        guard let value = try optional(number, field, read) else {
            throw .invalid(field: field, rule: "is missing in \(name)")
        }
        return value
    }

    mutating func flag(_ number: UInt8, _ field: String) throws(ParseError) -> Bool? {
        try optional(number, field) { (value) throws(ParseError) in try value.boolean(field) }
    }
}
