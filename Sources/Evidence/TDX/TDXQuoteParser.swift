public import Bytes

extension TDXQuote {
    /// QE_VENDOR_ID of Intel's quoting enclave; no other is certified by a PCK.
    public static let intelVendorID: [UInt8] = [
        0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06,
        0x07,
    ]
    /// Bytes of QE authentication data at most; Intel's enclave writes 32.
    static let maximumAuthenticationData = 4096

    /// Reads exactly one quote of version 4 or 5.
    ///
    /// - Throws: an error that names the first field that is wrong; SGX quotes and a bare TDREPORT are
    ///   refused by their names.
    public init(
        parsing bytes: [UInt8], trailer: Trailer = .zeroBytes
    ) throws(ParseError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw .lengthOutOfBounds(
                field: "TDX quote", length: bytes.count, minimum: 0,
                maximum: Self.maximumByteCount)
        }
        if Self.claimedTEE(bytes) == .sgx {
            throw .invalid(field: "TEE_TYPE", rule: "is an SGX quote, must be a TDX quote (0x81)")
        }
        if bytes.count == TDReport.byteCount, Self.claimedTEE(bytes) == nil {
            throw .invalid(
                field: "VERSION",
                rule: "this is a TDREPORT, which only its own machine can verify; must be a quote")
        }
        self = try bytes.parse("TDX quote") { reader throws(ParseError) in
            let quote = try TDXQuote(from: &reader, bytes)
            switch trailer {
            case .zeroBytes:
                try reader.mustBeZero("bytes behind the TDX quote", count: reader.remaining)
            case .anything:
                try reader.skip("bytes behind the TDX quote", count: reader.remaining)
            }
            return quote
        }
    }

    private init(from reader: inout ByteReader, _ bytes: [UInt8]) throws(ParseError) {
        header = try Header(from: &reader)
        var is15 = false
        if header.version == 5 { is15 = try Self.bodyIs15(&reader) }
        body = try TDReportBody(from: &reader, is15: is15)
        signedBytes = Array(bytes.prefix(bytes.count - reader.remaining))
        let size = try Self.length(
            &reader, "signature data size", within: 0x24a...Self.maximumByteCount)
        let section = try reader.bytes("signature data", count: size)
        let signed = try section.parse("signature data") { reader throws(ParseError) in
            try SignatureData(from: &reader)
        }
        signature = signed.signature
        attestationKey = signed.key
        let certified = try signed.certification.parse("QE certification data") {
            reader throws(ParseError) in
            try QECertification(from: &reader)
        }
        qeReport = try SGXReport(parsing: certified.report)
        qeReportSignature = certified.signature
        qeAuthenticationData = certified.authenticationData
        pckChain = certified.chain
    }

    /// BODY_TYPE and BODY_SIZE of version 5; whether the body is one of TDX 1.5.
    private static func bodyIs15(_ reader: inout ByteReader) throws(ParseError) -> Bool {
        let type = try reader.littleEndian("BODY_TYPE", as: UInt16.self)
        let size = try reader.littleEndian("BODY_SIZE", as: UInt32.self)
        let expected: Int
        switch type {
        case 1: throw .invalid(field: "BODY_TYPE", rule: "is 1 (SGX), must be 2 or 3 (TDX)")
        case 2: expected = TDReportBody.byteCount
        case 3: expected = TDReportBody.byteCount15
        default: throw .invalid(field: "BODY_TYPE", rule: "is \(type), must be 2 or 3")
        }
        guard size == expected else {
            throw .invalid(
                field: "BODY_SIZE", rule: "is \(size), must be \(expected) for type \(type)")
        }
        return type == 3
    }

    /// The ECDSA Quote Signature Data Structure of version 4 and 5.
    private struct SignatureData {
        let signature: FixedBytes<64>
        let key: FixedBytes<64>
        let certification: [UInt8]

        init(from reader: inout ByteReader) throws(ParseError) {
            signature = try reader.fixed("quote signature")
            key = try reader.fixed("attestation key")
            certification = try TDXQuote.certification(6, &reader)
        }
    }

    /// Certification data of type 6: what certifies the attestation key.
    private struct QECertification {
        let report: [UInt8]
        let signature: FixedBytes<64>
        let authenticationData: [UInt8]
        let chain: [UInt8]

        init(from reader: inout ByteReader) throws(ParseError) {
            report = try reader.bytes("QE report", count: SGXReport.byteCount)
            signature = try reader.fixed("QE report signature")
            let count = Int(
                try reader.littleEndian("QE authentication data size", as: UInt16.self))
            guard count <= TDXQuote.maximumAuthenticationData else {
                throw .lengthOutOfBounds(
                    field: "QE authentication data", length: count, minimum: 0,
                    maximum: TDXQuote.maximumAuthenticationData)
            }
            authenticationData = try reader.bytes("QE authentication data", count: count)
            chain = try TDXQuote.certification(5, &reader)
        }
    }

    /// One block of certification data, which has to be of type `wanted`.
    private static func certification(
        _ wanted: UInt16, _ reader: inout ByteReader
    ) throws(ParseError) -> [UInt8] {
        let type = try reader.littleEndian("certification data type", as: UInt16.self)
        guard type == wanted else {
            let name =
                switch type {
                case 1: "PPID in plain text"
                case 2: "PPID encrypted with RSA-2048"
                case 3: "PPID encrypted with RSA-3072"
                case 4: "PCK certificate alone"
                case 5: "PCK certificate chain"
                case 6: "QE report certification data"
                case 7: "platform manifest"
                default: "unknown"
                }
            throw .invalid(
                field: "certification data type",
                rule: "is \(type) (\(name)), which is not supported here; must be \(wanted)")
        }
        let size = try length(
            &reader, "certification data size", within: 0...Self.maximumByteCount)
        return try reader.bytes("certification data", count: size)
    }

    private static func length(
        _ reader: inout ByteReader, _ field: String, within bounds: ClosedRange<Int>
    ) throws(ParseError) -> Int {
        let length = Int(try reader.littleEndian(field, as: UInt32.self))
        guard bounds.contains(length) else {
            throw .lengthOutOfBounds(
                field: field, length: length, minimum: bounds.lowerBound,
                maximum: bounds.upperBound)
        }
        return length
    }
}

extension TDXQuote.Header {
    init(from reader: inout ByteReader) throws(ParseError) {
        version = try reader.littleEndian("VERSION")
        guard [4, 5].contains(version) else {
            throw .invalid(field: "VERSION", rule: "is \(version), must be 4 or 5")
        }
        let keyType = try reader.littleEndian("ATT_KEY_TYPE", as: UInt16.self)
        guard keyType == 2 else {
            throw .invalid(
                field: "ATT_KEY_TYPE", rule: "is \(keyType), must be 2 (ECDSA P-256)")
        }
        let tee = try reader.littleEndian("TEE_TYPE", as: UInt32.self)
        guard tee == 0x81 else {
            throw .invalid(field: "TEE_TYPE", rule: "is \(tee), must be 129 (TDX)")
        }
        if version == 5 {
            try reader.mustBeZero("RESERVED (0x08)", count: 4)
            qeSVN = 0
            pceSVN = 0
        } else {
            qeSVN = try reader.littleEndian("QE_SVN")
            pceSVN = try reader.littleEndian("PCE_SVN")
        }
        let vendor = try reader.bytes("QE_VENDOR_ID", count: 16)
        guard vendor == TDXQuote.intelVendorID else {
            throw .invalid(field: "QE_VENDOR_ID", rule: "must be Intel's")
        }
        userData = try reader.fixed("USER_DATA")
    }
}
