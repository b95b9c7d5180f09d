import Bytes
import OpenSSL

/// Signs quotes with an attestation key that a PCK vouches for.
struct QuotingEnclave {
    /// What may be wrong with the quotes.
    struct Faults: Equatable {
        var breaksSignature = false
        var breaksReportSignature = false
        var bindsAnotherKey = false
    }

    let machine: TDXMachine
    private let hashing = OpenSSLHashing()

    private var platform: TDXPlatform { machine.platform }

    /// QE_VENDOR_ID: Intel.
    private static let vendor = Hex.decode("939a7233f79c4ca9940a0db3957f0607") ?? []
    private static let authenticationData = (0..<32).map { UInt8($0) }

    init(machine: TDXMachine) { self.machine = machine }

    /// A quote of version 4 or 5 over a body.
    ///
    /// Layout: Intel, TDX DCAP Quoting Library API, appendix 3.
    func quote(
        version: UInt16, _ generation: TDXGeneration, body: [UInt8], faults: Faults = Faults()
    ) throws(CryptoError) -> [UInt8] {
        var signed = ByteWriter()
        signed.littleEndian(version)
        signed.littleEndian(UInt16(2))  // ATT_KEY_TYPE: ECDSA P-256
        signed.littleEndian(UInt32(0x81))  // TEE_TYPE: TDX
        signed.zeros(4)
        signed.raw(Self.vendor)
        signed.raw(hashing.sha256(platform.ppid.bytes).bytes.prefix(16))
        signed.zeros(4)
        if version == 5 {
            signed.littleEndian(generation.bodyType)
            signed.littleEndian(UInt32(body.count))
        }
        signed.raw(body)
        var signature = try machine.keys.attestation.sign(signed.bytes, scheme: .ecdsa(.sha256))
        if faults.breaksSignature { signature[63] ^= 1 }
        let point = try machine.keys.attestation.publicKey.subjectPublicKeyInfo.suffix(64)
        let certification = try certification(Array(point), faults)
        var quote = signed
        quote.littleEndian(UInt32(64 + 64 + 6 + certification.count))
        quote.raw(signature)
        quote.raw(point)
        quote.littleEndian(UInt16(6))  // certification data: QE report
        quote.littleEndian(UInt32(certification.count))
        quote.raw(certification)
        return quote.bytes
    }

    /// The QE report with its signature, authentication data and the PCK chain.
    private func certification(
        _ point: [UInt8], _ faults: Faults
    ) throws(CryptoError) -> [UInt8] {
        var bound = hashing.sha256(point + Self.authenticationData)
        if faults.bindsAnotherKey { bound[0] ^= 1 }
        let report = report(binding: bound)
        var signature = try machine.keys.pck.sign(report, scheme: .ecdsa(.sha256))
        if faults.breaksReportSignature { signature[63] ^= 1 }
        var data = ByteWriter()
        data.raw(report)
        data.raw(signature)
        data.littleEndian(UInt16(Self.authenticationData.count))
        data.raw(Self.authenticationData)
        data.littleEndian(UInt16(5))  // certification data: PCK chain in PEM
        let chain = machine.chain
        data.littleEndian(UInt32(chain.count + 1))
        data.raw(chain)
        data.uint8(0)
        return data.bytes
    }

    /// An SGX report body of 384 bytes (Intel SDM volume 3D, table 38-21).
    private func report(binding digest: FixedBytes<32>) -> [UInt8] {
        var report = ByteWriter()
        report.raw(platform.components)  // CPUSVN
        report.zeros(0x30 - 16)
        report.littleEndian(UInt64(0x15))  // ATTRIBUTES: INIT, MODE64BIT, PROVISIONKEY
        report.littleEndian(UInt64(0xe7))
        report.fixed(hashing.sha256(Array("bootgate simulated QE code".utf8)))
        report.zeros(0x80 - 0x60)
        report.fixed(TDXPlatform.quotingSigner(hashing: hashing))
        report.zeros(0x100 - 0xa0)
        report.littleEndian(UInt16(2))  // ISVPRODID
        report.littleEndian(platform.quotingEnclaveSVN)
        report.zeros(0x140 - 0x104)
        report.fixed(digest)
        report.zeros(32)
        return report.bytes
    }
}
