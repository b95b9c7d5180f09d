import Bytes
import Evidence
import Foundation
import OpenSSL
import Protocol
import TestSupport

@testable import SimulatedPSP

/// A running VM: a processor like AMD's, a TPM of this process, and the kernel's log.
struct SimulatedVM {
    private final class Key: Sendable {
        let key: SigningKey

        init(_ kind: SigningKey.Kind) {
            do {
                key = try SigningKey.generate(kind)
            } catch {
                preconditionFailure("no key: \(error)")
            }
        }
    }

    /// Keys of a run: making RSA takes seconds, so it is made once.
    private static let issuerKey = Key(.rsa4096)
    private static let chipKey = Key(.p384)
    private static let tpmKey = Key(.p256)

    let root: [UInt8]
    private let certificates: [UInt8]
    private let template: ReportTemplate
    private let publicArea: TPMPublicBuilder
    /// What the kernel measured, the boot aggregate first.
    var log: IMALogBuilder
    /// What is served as the log instead.
    var servedLog: IMALogBuilder?
    /// How many of the entries are in the register that is quoted; nil for all.
    var quotedEntries: Int?
    /// The statement but for the certificate and the key's name.
    var statement = RuntimeStatement(
        vm: "web-1", hostName: "web-1.example", certificate: FixedBytes(), attestationKeyName: [],
        sshHostKeys: [], bootID: "0c9d2f4e-0000-4000-8000-000000000001", snapshot: nil)
    /// What REPORT_DATA is made over instead of the caller's nonce.
    var oldNonce: FixedBytes<32>?
    var hasTPM = true

    init(files: [(path: String, digest: [UInt8])]) throws {
        let now = Int64(Date().timeIntervalSince1970)
        let platform = Platform(
            product: .genoa, keyKind: .vcek, tcb: SimulatedTCB(product: .genoa))
        let authority = try Authority(
            product: .genoa, keyKind: .vcek,
            rootKey: try SigningKey(pem: try Self.issuerKey.key.pem()),
            intermediateKey: try SigningKey(pem: try Self.issuerKey.key.pem()), now: now)
        root = authority.certificates.root
        certificates = CertificateTableWriter.table([
            (
                CertificateTableWriter.vcek,
                try authority.endorse(platform, key: Self.chipKey.key, now: now)
            ),
            (CertificateTableWriter.ask, authority.certificates.intermediate),
            (CertificateTableWriter.ark, authority.certificates.root),
        ])
        template = ReportTemplate(
            version: 3, product: .genoa, policy: 0x30000, isSignedByVLEK: false,
            tcb: platform.tcb.raw, measurement: fixed(0xa1), hostData: fixed(0xc0),
            reportID: fixed(0x1d), chipID: platform.chipID)
        let info = try Self.tpmKey.key.publicKey.subjectPublicKeyInfo
        publicArea = TPMPublicBuilder(
            p256X: Array(info.suffix(64).prefix(32)), y: info.suffix(32))
        let aggregate = OpenSSLHashing().sha256(Self.bootRegisters.flatMap(\.digest)).bytes
        log = IMALogBuilder(
            [IMALogBuilder.Entry("boot_aggregate", sha256: aggregate)]
                + files.map { IMALogBuilder.Entry($0.path, sha256: $0.digest) })
    }

    private static let bootRegisters: [(index: Int, digest: [UInt8])] = (0..<10).map {
        ($0, [UInt8](repeating: UInt8($0 + 1), count: 32))
    }

    /// The TPM name of the quoting key.
    var keyName: [UInt8] { [0, 0x0b] + OpenSSLHashing().sha256(publicArea.bytes).bytes }

    /// What the kernel measures of a file.
    static func entry(_ path: String, _ digest: [UInt8]) -> IMALogBuilder.Entry {
        IMALogBuilder.Entry(path, sha256: digest)
    }

    /// `binary_runtime_measurements`.
    var logBytes: [UInt8] { (servedLog ?? log).binary { OpenSSLHashing().digest(.sha1, $0) } }

    /// Statement and EVIDENCE over a caller's nonce and connection.
    func evidence(
        nonce: FixedBytes<32>, exporter: FixedBytes<32>, certificate: FixedBytes<32>
    ) throws -> (statement: [UInt8], evidence: [UInt8]) {
        var statement = statement
        statement.certificate = certificate
        statement.attestationKeyName = hasTPM ? keyName : []
        let text = statement.encoded()
        let binding = Binding.runtime(
            exporter: exporter, statement: text, nonce: oldNonce ?? nonce,
            attestationKeyName: statement.attestationKeyName, hashing: OpenSSLHashing())
        let message = try EvidenceMessage(
            kind: .snp, attestationKeyName: statement.attestationKeyName,
            items: [
                EvidenceItem(.report, try report(over: binding)),
                EvidenceItem(.certificateTable, certificates),
            ] + (hasTPM ? quote(over: binding) : []))
        return (text, message.encoded())
    }

    private func report(over reportData: FixedBytes<64>) throws -> [UInt8] {
        let signed = template.signedBytes(reportData: reportData.bytes, vmpl: 0)
        let (r, s) = try Self.chipKey.key.signP384SHA384(signed)
        return ReportTemplate.report(
            signedBytes: signed, littleEndianR: r.reversed(), littleEndianS: s.reversed())
    }

    private func quote(over binding: FixedBytes<64>) throws -> [EvidenceItem] {
        var register = RegisterState(.sha256)
        for entry in log.entries.prefix(quotedEntries ?? log.entries.count) {
            let data = entry.data
            register.extend(digestOf: data, count: data.count)
        }
        let registers = Self.bootRegisters + [(10, register.value)]
        let writer = TPMQuoteWriter(
            nonce: OpenSSLHashing().sha256(binding.bytes).bytes, registers: registers,
            bank: .sha256, signer: [0, 0x0b] + [UInt8](repeating: 0x5a, count: 32))
        var values = PCRValues()
        for (index, digest) in registers {
            try values.insert(digest, at: UInt8(index), in: .sha256)
        }
        return [
            EvidenceItem(.tpmQuote, writer.attestation),
            EvidenceItem(.tpmSignature, try writer.signature(by: Self.tpmKey.key)),
            EvidenceItem(.tpmPublic, publicArea.bytes), EvidenceItem(.pcrValues, values.encoded),
        ]
    }
}

private func fixed<let count: Int>(_ byte: UInt8) -> FixedBytes<count> {
    guard let bytes = FixedBytes<count>([UInt8](repeating: byte, count: count)) else {
        preconditionFailure("as many bytes as asked for")
    }
    return bytes
}
