/// Names for the 16-bit constants of TPM 2.0, so that an error says what came.
///
/// TCG TPM 2.0 Library, Part 2: Structures, tables for TPM_ALG_ID, TPM_ST and TPM_ECC_CURVE.
enum TPMIdentifier {
    /// `TPM_ALG_SHA1`, or the number of one that is not known here.
    static func algorithm(_ value: UInt16) -> String {
        algorithms[value].map { "TPM_ALG_\($0)" } ?? "algorithm \(value)"
    }

    /// `TPM_ST_ATTEST_CERTIFY`, or the number of one that is not known here.
    static func structure(_ value: UInt16) -> String {
        structures[value].map { "TPM_ST_ATTEST_\($0)" } ?? "structure \(value)"
    }

    private static let algorithms: [UInt16: String] = [
        0x0001: "RSA", 0x0004: "SHA1", 0x0005: "HMAC", 0x0006: "AES", 0x0008: "KEYEDHASH",
        0x000b: "SHA256", 0x000c: "SHA384", 0x000d: "SHA512", 0x0010: "NULL",
        0x0012: "SM3_256", 0x0013: "SM4", 0x0014: "RSASSA", 0x0015: "RSAES", 0x0016: "RSAPSS",
        0x0017: "OAEP", 0x0018: "ECDSA", 0x0019: "ECDH", 0x001a: "ECDAA", 0x001b: "SM2",
        0x001c: "ECSCHNORR", 0x001d: "ECMQV", 0x0023: "ECC", 0x0025: "SYMCIPHER",
        0x0026: "CAMELLIA", 0x0027: "SHA3_256", 0x0028: "SHA3_384", 0x0029: "SHA3_512",
        0x0043: "CFB",
    ]

    private static let structures: [UInt16: String] = [
        0x8014: "NV", 0x8015: "COMMAND_AUDIT", 0x8016: "SESSION_AUDIT", 0x8017: "CERTIFY",
        0x8018: "QUOTE", 0x8019: "TIME", 0x801a: "CREATION", 0x801c: "NV_DIGEST",
    ]
}
