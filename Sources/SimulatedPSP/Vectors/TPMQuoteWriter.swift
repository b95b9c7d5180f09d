import Bytes
import OpenSSL

/// Writes what a TPM signs for TPM2_Quote, and its signature.
///
/// Layout: TCG TPM 2.0 Library, part 2, TPMS_ATTEST and TPMT_SIGNATURE; big-endian.
struct TPMQuoteWriter {
    /// extraData.
    var nonce: [UInt8]
    /// Registers by number, of one bank.
    var registers: [(index: Int, digest: [UInt8])]
    var bank = HashAlgorithm.sha256
    /// The hash of the signature, which also makes the PCR digest.
    var hash = HashAlgorithm.sha256
    /// The name of the key, of its hash and digest.
    var signer: [UInt8]
    var resetCount: UInt32 = 3
    var restartCount: UInt32 = 0
    var isClockSafe = true

    /// TPMS_ATTEST.
    var attestation: [UInt8] {
        var attestation = ByteWriter()
        attestation.bigEndian(UInt32(0xff54_4347))
        attestation.bigEndian(UInt16(0x8018))
        attestation.opaque(signer, lengthBytes: 2)
        attestation.opaque(nonce, lengthBytes: 2)
        attestation.bigEndian(UInt64(86_400_000))
        attestation.bigEndian(resetCount)
        attestation.bigEndian(restartCount)
        attestation.uint8(isClockSafe ? 1 : 0)
        attestation.bigEndian(UInt64(0x2019_0220_0012_0003))
        attestation.bigEndian(UInt32(1))
        attestation.bigEndian(bank.tpmIdentifier)
        attestation.uint8(3)
        attestation.raw(selection)
        let values = registers.flatMap(\.digest)
        attestation.opaque(OpenSSLHashing().digest(hash, values), lengthBytes: 2)
        return attestation.bytes
    }

    private var selection: [UInt8] {
        var bits: [UInt8] = [0, 0, 0]
        for register in registers { bits[register.index / 8] |= 1 << (register.index % 8) }
        return bits
    }

    /// The registers as JSON: bank, register, hexadecimal digits.
    var registersJSON: [UInt8] {
        let values = registers.map {
            ("\($0.index)", JSONText.Value.string(Hex.encode($0.digest)))
        }
        return Array((JSONText.object([(bank.rawValue, .object(values))]) + "\n").utf8)
    }

    /// TPMT_SIGNATURE by an RSA key (RSASSA) or a P-256 key.
    func signature(by key: borrowing SigningKey) throws(CryptoError) -> [UInt8] {
        var signature = ByteWriter()
        let isRSA = key.kind == .rsa4096
        signature.bigEndian(UInt16(isRSA ? 0x0014 : 0x0018))
        signature.bigEndian(hash.tpmIdentifier)
        let number = try key.sign(attestation, scheme: isRSA ? .rsaPKCS1(hash) : .ecdsa(hash))
        if isRSA {
            signature.opaque(number, lengthBytes: 2)
        } else {
            signature.opaque(Array(number.prefix(32)), lengthBytes: 2)
            signature.opaque(Array(number.suffix(32)), lengthBytes: 2)
        }
        return signature.bytes
    }
}
