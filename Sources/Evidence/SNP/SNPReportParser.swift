public import Bytes

extension SNPReport {
    /// Reads exactly one report.
    ///
    /// Reserved fields have to be zero, or the bytes could mean what this code does not know. The one
    /// exception is PLATFORM_INFO, see there.
    ///
    /// - Throws: an error that names the first field that is wrong.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        self = try bytes.parse("ATTESTATION_REPORT") { reader throws(ParseError) in
            try SNPReport(
                from: &reader, signed: Array(bytes.prefix(SNPReport.signedByteCount)))
        }
    }

    private init(from reader: inout ByteReader, signed: [UInt8]) throws(ParseError) {
        signedBytes = signed
        version = try reader.littleEndian("VERSION", as: UInt32.self)
        guard [2, 3, 5].contains(version) else {
            throw .invalid(field: "VERSION", rule: "is \(version), must be 2, 3 or 5")
        }
        guestSVN = try reader.littleEndian("GUEST_SVN")
        policy = try Self.policy(&reader)
        familyID = try reader.fixed("FAMILY_ID")
        imageID = try reader.fixed("IMAGE_ID")
        vmpl = try reader.littleEndian("VMPL")
        // A report that the host asked for itself has all ones here.
        guard vmpl <= 3 else { throw .outOfRange(field: "VMPL", value: UInt64(vmpl)) }
        let algorithm = try reader.littleEndian("SIGNATURE_ALGO", as: UInt32.self)
        guard algorithm == 1 else {
            throw .invalid(
                field: "SIGNATURE_ALGO",
                rule: "is \(algorithm), must be 1 (ECDSA P-384 with SHA-384)")
        }
        currentTCB = try reader.fixed("CURRENT_TCB")
        platformInfo = PlatformInfo(rawValue: try reader.littleEndian("PLATFORM_INFO"))
        let keyInfo = try reader.littleEndian("KEY_INFO", as: UInt32.self)
        authorKeyEnabled = keyInfo & 1 == 1
        maskChipKey = keyInfo >> 1 & 1 == 1
        signingKey = try Self.signingKey(keyInfo)
        try reader.mustBeZero("RESERVED (0x04C)", count: 4)
        reportData = try reader.fixed("REPORT_DATA")
        measurement = try reader.fixed("MEASUREMENT")
        hostData = try reader.fixed("HOST_DATA")
        idKeyDigest = try reader.fixed("ID_KEY_DIGEST")
        authorKeyDigest = try reader.fixed("AUTHOR_KEY_DIGEST")
        reportID = try reader.fixed("REPORT_ID")
        reportIDMA = try reader.fixed("REPORT_ID_MA")
        reportedTCB = try reader.fixed("REPORTED_TCB")
        cpuid = try Self.processor(&reader, version: version)
        chipID = try reader.fixed("CHIP_ID")
        committedTCB = try reader.fixed("COMMITTED_TCB")
        currentVersion = try Self.firmware(&reader, "CURRENT", reserved: "RESERVED (0x1EB)")
        committedVersion = try Self.firmware(&reader, "COMMITTED", reserved: "RESERVED (0x1EF)")
        launchTCB = try reader.fixed("LAUNCH_TCB")
        if version >= 5 {
            launchMitigations = try reader.littleEndian("LAUNCH_MIT_VECTOR")
            currentMitigations = try reader.littleEndian("CURRENT_MIT_VECTOR")
            try reader.mustBeZero("RESERVED (0x208)", count: 0x2a0 - 0x208)
        } else {
            launchMitigations = nil
            currentMitigations = nil
            try reader.mustBeZero("RESERVED (0x1F8)", count: 0x2a0 - 0x1f8)
        }
        signatureR = try Self.scalar(&reader, "R")
        signatureS = try Self.scalar(&reader, "S")
        try reader.mustBeZero("SIGNATURE (0x330)", count: 0x4a0 - 0x330)
    }

    private static func policy(_ reader: inout ByteReader) throws(ParseError) -> GuestPolicy {
        let bits = try reader.littleEndian("POLICY", as: UInt64.self)
        guard bits & GuestPolicy.mustBeOne != 0 else {
            throw .invalid(field: "POLICY", rule: "bit 17 is reserved and must be one")
        }
        guard bits & GuestPolicy.mustBeZero == 0 else {
            throw .reservedNotZero(field: "POLICY bits 26 to 63")
        }
        return GuestPolicy(rawValue: bits)
    }

    private static func signingKey(_ keyInfo: UInt32) throws(ParseError) -> SNPSigningKey {
        guard keyInfo >> 5 == 0 else {
            throw .reservedNotZero(field: "KEY_INFO bits 5 to 31")
        }
        switch keyInfo >> 2 & 7 {
        case 0: return .vcek
        case 1: return .vlek
        case 7: return .none
        case let value: throw .outOfRange(field: "SIGNING_KEY", value: UInt64(value))
        }
    }

    private static func processor(
        _ reader: inout ByteReader, version: UInt32
    ) throws(ParseError) -> SNPProcessor? {
        guard version >= 3 else {
            try reader.mustBeZero("RESERVED (0x188)", count: 24)
            return nil
        }
        let processor = SNPProcessor(
            family: try reader.uint8("CPUID_FAM_ID"), model: try reader.uint8("CPUID_MOD_ID"),
            stepping: try reader.uint8("CPUID_STEP"))
        try reader.mustBeZero("RESERVED (0x18B)", count: 21)
        return processor
    }

    private static func firmware(
        _ reader: inout ByteReader, _ prefix: String, reserved: String
    ) throws(ParseError) -> SNPFirmwareVersion {
        let build = try reader.uint8("\(prefix)_BUILD")
        let minor = try reader.uint8("\(prefix)_MINOR")
        let major = try reader.uint8("\(prefix)_MAJOR")
        try reader.mustBeZero(reserved, count: 1)
        return SNPFirmwareVersion(major: major, minor: minor, build: build)
    }

    /// One half of the signature: 72 bytes, little-endian, of which P-384 uses 48.
    ///
    /// The rest has to be zero: ignoring it would let many byte strings pass for one signature.
    private static func scalar(
        _ reader: inout ByteReader, _ field: String
    ) throws(ParseError) -> FixedBytes<48> {
        let littleEndian = try reader.fixed(field, as: FixedBytes<48>.self)
        try reader.mustBeZero("\(field) bytes 48 to 71", count: 24)
        var bigEndian = FixedBytes<48>()
        for index in 0..<48 {
            bigEndian[index] = littleEndian[47 - index]
        }
        return bigEndian
    }
}
