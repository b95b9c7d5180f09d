public import Bytes

extension TPMPublic {
    /// Reads exactly one TPMT_PUBLIC.
    ///
    /// - Throws: an error that names the first field that is wrong; key types, curves and ciphers that
    ///   are not known here are refused by name.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw .lengthOutOfBounds(
                field: "TPMT_PUBLIC", length: bytes.count, minimum: 1,
                maximum: Self.maximumByteCount)
        }
        self = try bytes.parse("TPMT_PUBLIC") { reader throws(ParseError) in
            try TPMPublic(from: &reader, bytes)
        }
    }

    /// Reads exactly one TPM2B_PUBLIC: the size of a TPMT_PUBLIC in two bytes, then it.
    public init(parsingSized bytes: [UInt8]) throws(ParseError) {
        let area = try bytes.parse("TPM2B_PUBLIC") { reader throws(ParseError) in
            try reader.sized("TPM2B_PUBLIC", within: 1...Self.maximumByteCount)
        }
        try self.init(parsing: area)
    }

    private init(from reader: inout ByteReader, _ bytes: [UInt8]) throws(ParseError) {
        self.bytes = bytes
        let type = try reader.bigEndian("type", as: UInt16.self)
        guard type == 0x0001 || type == 0x0023 else {
            throw .invalid(
                field: "type",
                rule: "is \(TPMIdentifier.algorithm(type)), must be TPM_ALG_RSA or TPM_ALG_ECC")
        }
        nameAlgorithm = try reader.hashAlgorithm("nameAlg")
        let attributes = TPMKeyAttributes(rawValue: try reader.bigEndian("objectAttributes"))
        guard attributes.isSubset(of: .known) else {
            throw .reservedNotZero(field: "objectAttributes")
        }
        self.attributes = attributes
        authPolicy = try reader.sized("authPolicy", within: 0...64)
        guard authPolicy.isEmpty || authPolicy.count == nameAlgorithm.size else {
            throw .invalid(field: "authPolicy", rule: "must be empty or a digest by nameAlg")
        }
        symmetric = try Self.symmetric(&reader)
        if type == 0x0001 {
            scheme = try Self.scheme(&reader, allowed: [0x0014, 0x0015, 0x0016, 0x0017])
            key = try Self.rsa(&reader)
        } else {
            scheme = try Self.scheme(
                &reader, allowed: [0x0018, 0x0019, 0x001a, 0x001b, 0x001c, 0x001d])
            key = try Self.ecc(&reader)
        }
    }

    /// TPMT_SYM_DEF_OBJECT.
    private static func symmetric(_ reader: inout ByteReader) throws(ParseError) -> Symmetric? {
        let algorithm = try reader.bigEndian("symmetric.algorithm", as: UInt16.self)
        if algorithm == 0x0010 { return nil }
        guard algorithm == 0x0006 else {
            throw .invalid(
                field: "symmetric.algorithm",
                rule: "is \(TPMIdentifier.algorithm(algorithm)), must be AES or NULL")
        }
        let keyBits = try reader.bigEndian("symmetric.keyBits", as: UInt16.self)
        guard [128, 192, 256].contains(keyBits) else {
            throw .outOfRange(field: "symmetric.keyBits", value: UInt64(keyBits))
        }
        let mode = try reader.bigEndian("symmetric.mode", as: UInt16.self)
        guard mode == 0x0043 else {
            throw .invalid(
                field: "symmetric.mode",
                rule: "is \(TPMIdentifier.algorithm(mode)), must be CFB")
        }
        return Symmetric(keyBits: keyBits)
    }

    /// TPMT_RSA_SCHEME or TPMT_ECC_SCHEME.
    private static func scheme(
        _ reader: inout ByteReader, allowed: [UInt16]
    ) throws(ParseError) -> Scheme? {
        let scheme = try reader.bigEndian("scheme", as: UInt16.self)
        if scheme == 0x0010 { return nil }
        let name = TPMIdentifier.algorithm(scheme)
        guard allowed.contains(scheme) else {
            throw .invalid(field: "scheme", rule: "is \(name), which is none for this key type")
        }
        // RSAES is the one scheme without details.
        if scheme == 0x0015 { return .other(name) }
        let hash = try reader.hashAlgorithm("scheme.hashAlg")
        switch scheme {
        case 0x0014: return .rsassa(hash)
        case 0x0016: return .rsapss(hash)
        case 0x0018: return .ecdsa(hash)
        case 0x001a: try reader.skip("scheme.count", count: 2)
        default: break
        }
        return .other(name)
    }

    private static func rsa(_ reader: inout ByteReader) throws(ParseError) -> Key {
        let bits = try reader.bigEndian("keyBits", as: UInt16.self)
        guard [1024, 2048, 3072, 4096].contains(bits) else {
            throw .outOfRange(field: "keyBits", value: UInt64(bits))
        }
        let exponent = try reader.bigEndian("exponent", as: UInt32.self)
        // Zero stands for the default; anything even or small is no exponent that a TPM makes.
        guard exponent == 0 || exponent >= 65537 && exponent % 2 == 1 else {
            throw .outOfRange(field: "exponent", value: UInt64(exponent))
        }
        let modulus = try reader.sized("unique.rsa", within: 128...512)
        guard modulus.count * 8 == Int(bits), modulus[0] >= 0x80 else {
            throw .invalid(field: "unique.rsa", rule: "must be a modulus of keyBits bits")
        }
        return .rsa(bits: bits, exponent: exponent == 0 ? 65537 : exponent, modulus: modulus)
    }

    private static func ecc(_ reader: inout ByteReader) throws(ParseError) -> Key {
        let identifier = try reader.bigEndian("curveID", as: UInt16.self)
        guard let curve = Curve(rawValue: identifier) else {
            throw .invalid(
                field: "curveID", rule: "is \(identifier), must be one of NIST P-256, P-384, P-521")
        }
        let kdf = try reader.bigEndian("kdf", as: UInt16.self)
        if kdf != 0x0010 { _ = try reader.hashAlgorithm("kdf.hashAlg") }
        let size = curve.coordinateSize
        let x = try reader.sized("unique.ecc.x", within: 1...size)
        let y = try reader.sized("unique.ecc.y", within: 1...size)
        return .ecc(curve: curve, x: x, y: y)
    }
}
