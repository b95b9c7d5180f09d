import Bytes

/// Makes the bytes of a TPMS_ATTEST; every field may be set, also to nonsense.
public struct TPMQuoteBuilder: Sendable {
    /// TPM_GENERATED_VALUE.
    public var magic: UInt32 = 0xff54_4347
    /// TPM_ST_ATTEST_QUOTE.
    public var type: UInt16 = 0x8018
    /// A name by SHA-256.
    public var qualifiedSigner: [UInt8] = [0x00, 0x0b] + Array(repeating: 0x5a, count: 32)
    /// The nonce.
    public var extraData: [UInt8] = Array(repeating: 0xec, count: 32)
    /// Milliseconds.
    public var clock: UInt64 = 0x0102_0304_0506
    /// Resets.
    public var resetCount: UInt32 = 7
    /// Restarts.
    public var restartCount: UInt32 = 3
    /// Whether the clock is safe: 0 or 1.
    public var safe: UInt8 = 1
    /// The manufacturer's version.
    public var firmwareVersion: UInt64 = 0x2020_0312_0012_0003
    /// Banks and their bitmaps.
    public var selections: [(bank: UInt16, bitmap: [UInt8])] = [(0x000b, [0x91, 0x04, 0x00])]
    /// pcrDigest.
    public var pcrDigest: [UInt8] = Array(repeating: 0xd1, count: 32)

    /// A quote over PCR 0, 4, 7 and 10 of the SHA-256 bank.
    public init() {}

    /// TPMS_ATTEST.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(magic)
        writer.bigEndian(type)
        writer.opaque(qualifiedSigner, lengthBytes: 2)
        writer.opaque(extraData, lengthBytes: 2)
        writer.bigEndian(clock)
        writer.bigEndian(resetCount)
        writer.bigEndian(restartCount)
        writer.uint8(safe)
        writer.bigEndian(firmwareVersion)
        writer.bigEndian(UInt32(selections.count))
        for selection in selections {
            writer.bigEndian(selection.bank)
            writer.opaque(selection.bitmap, lengthBytes: 1)
        }
        writer.opaque(pcrDigest, lengthBytes: 2)
        return writer.bytes
    }

    /// The same quote after `change`.
    public func with(_ change: (inout TPMQuoteBuilder) -> Void) -> TPMQuoteBuilder {
        var copy = self
        change(&copy)
        return copy
    }
}

/// Makes the bytes of a TPMT_PUBLIC; every field may be set, also to nonsense.
public struct TPMPublicBuilder: Sendable {
    /// TPM_ALG_RSA or TPM_ALG_ECC.
    public var type: UInt16
    /// TPM_ALG_SHA256.
    public var nameAlgorithm: UInt16 = 0x000b
    /// restricted, sign, userWithAuth, sensitiveDataOrigin, fixedParent, fixedTPM.
    public var attributes: UInt32 = 0x0005_0072
    /// Empty.
    public var authPolicy: [UInt8] = []
    /// TPM_ALG_NULL.
    public var symmetric: [UInt8] = [0x00, 0x10]
    /// The scheme with its details.
    public var scheme: [UInt8]
    /// keyBits and exponent, or curveID and kdf.
    public var details: [UInt8]
    /// The modulus, or two coordinates.
    public var unique: [[UInt8]]

    /// An RSA key for RSASSA with SHA-256.
    public init(rsaModulus modulus: [UInt8]) {
        type = 0x0001
        scheme = [0x00, 0x14, 0x00, 0x0b]
        var writer = ByteWriter()
        writer.bigEndian(UInt16(modulus.count * 8))
        writer.bigEndian(UInt32(0))
        details = writer.bytes
        unique = [modulus]
    }

    /// A P-256 key for ECDSA with SHA-256.
    public init(p256X x: [UInt8], y: [UInt8]) {
        type = 0x0023
        scheme = [0x00, 0x18, 0x00, 0x0b]
        details = [0x00, 0x03, 0x00, 0x10]
        unique = [x, y]
    }

    /// TPMT_PUBLIC.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(type)
        writer.bigEndian(nameAlgorithm)
        writer.bigEndian(attributes)
        writer.opaque(authPolicy, lengthBytes: 2)
        writer.raw(symmetric)
        writer.raw(scheme)
        writer.raw(details)
        for part in unique { writer.opaque(part, lengthBytes: 2) }
        return writer.bytes
    }

    /// The same key after `change`.
    public func with(_ change: (inout TPMPublicBuilder) -> Void) -> TPMPublicBuilder {
        var copy = self
        change(&copy)
        return copy
    }
}
