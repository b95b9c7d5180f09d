public import Bytes

/// A quote as it was read: TPMS_ATTEST of type TPM_ST_ATTEST_QUOTE. Nothing in it has been authenticated.
///
/// TCG TPM 2.0 Library, Part 2, sections TPMS_ATTEST, TPMS_CLOCK_INFO and TPMS_QUOTE_INFO. All integers
/// are big-endian. A TPM signs these bytes only if they begin with TPM_GENERATED_VALUE, which it
/// refuses to sign for anybody else by a restricted key.
public struct TPMAttestation: Sendable, Equatable {
    /// The longest TPMS_ATTEST that is read, in bytes.
    public static let maximumByteCount = 512
    /// TPM_GENERATED_VALUE: the byte 0xff, then `TCG`.
    public static let magic: UInt32 = 0xff54_4347

    /// The bytes as received: what the signature is over.
    public let signedBytes: [UInt8]
    /// qualifiedSigner: names the key and all its parents; of use only to who knows those.
    public let qualifiedSigner: TPMName
    /// extraData: what the asker wanted to be signed, up to 66 bytes.
    public let extraData: [UInt8]
    /// clock: milliseconds that the TPM was powered, since its owner was last cleared.
    public let clock: UInt64
    /// resetCount: TPM resets since the owner was last cleared.
    public let resetCount: UInt32
    /// restartCount: restarts and resumes since the last reset.
    public let restartCount: UInt32
    /// safe: no value of ``clock`` above this one was ever reported.
    public let isClockSafe: Bool
    /// firmwareVersion, in the manufacturer's own form.
    public let firmwareVersion: UInt64
    /// pcrSelect.
    public let selection: PCRSelection
    /// pcrDigest: over the selected registers, with the hash function of the signing scheme.
    public let pcrDigest: [UInt8]

    /// Reads exactly one quote.
    ///
    /// - Throws: an error that names the first field that is wrong; other types of attestation by name.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw .lengthOutOfBounds(
                field: "TPMS_ATTEST", length: bytes.count, minimum: 1,
                maximum: Self.maximumByteCount)
        }
        self = try bytes.parse("TPMS_ATTEST") { reader throws(ParseError) in
            try TPMAttestation(from: &reader, signed: bytes)
        }
    }

    private init(from reader: inout ByteReader, signed: [UInt8]) throws(ParseError) {
        signedBytes = signed
        let magic = try reader.bigEndian("magic", as: UInt32.self)
        guard magic == Self.magic else {
            throw .invalid(field: "magic", rule: "must be ff544347 (TPM_GENERATED_VALUE)")
        }
        let type = try reader.bigEndian("type", as: UInt16.self)
        guard type == 0x8018 else {
            throw .invalid(
                field: "type",
                rule: "is \(TPMIdentifier.structure(type)), must be TPM_ST_ATTEST_QUOTE")
        }
        let signer = try reader.sized("qualifiedSigner", within: 0...66)
        qualifiedSigner = try TPMName.parse(signer, "qualifiedSigner")
        extraData = try reader.sized("extraData", within: 0...66)
        clock = try reader.bigEndian("clock")
        resetCount = try reader.bigEndian("resetCount")
        restartCount = try reader.bigEndian("restartCount")
        let safe = try reader.uint8("safe")
        guard safe <= 1 else { throw .outOfRange(field: "safe", value: UInt64(safe)) }
        isClockSafe = safe == 1
        firmwareVersion = try reader.bigEndian("firmwareVersion")
        selection = try PCRSelection(from: &reader)
        pcrDigest = try reader.sized("pcrDigest", within: 0...64)
        guard HashAlgorithm.allCases.contains(where: { $0.size == pcrDigest.count }) else {
            throw .invalid(
                field: "pcrDigest", rule: "is \(pcrDigest.count) bytes, must be 20, 32, 48 or 64")
        }
    }
}
