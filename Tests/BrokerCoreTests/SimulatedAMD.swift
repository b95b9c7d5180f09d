import Authenticators
import BrokerCore
import Bytes
import Endorsements
import Evidence
import OpenSSL
import Policy
import Protocol
import Verification

@testable import SimulatedPSP

/// A vendor like AMD, one chip of its, and one launched guest.
struct SimulatedAMD {
    static let now = SimulatedIntel.now

    /// Keys of a run: making RSA takes seconds, so they are made once.
    private static let issuerKey = SimulatedTPM.Key(.rsa4096)
    private static let chipKey = SimulatedTPM.Key(.p384)

    let verifier: SNPVerifier
    private let certificates: [UInt8]
    var template: ReportTemplate
    var vmpl: UInt32 = 0
    /// Whether the host hands out certificates.
    var hasTable = true

    init() throws {
        let platform = Platform(
            product: .genoa, keyKind: .vcek, tcb: SimulatedTCB(product: .genoa))
        let authority = try Authority(
            product: .genoa, keyKind: .vcek,
            rootKey: try SigningKey(pem: try Self.issuerKey.key.pem()),
            intermediateKey: try SigningKey(pem: try Self.issuerKey.key.pem()), now: Self.now)
        certificates = CertificateTableWriter.table([
            (
                CertificateTableWriter.vcek,
                try authority.endorse(platform, key: Self.chipKey.key, now: Self.now)
            ),
            (CertificateTableWriter.ask, authority.certificates.intermediate),
            (CertificateTableWriter.ark, authority.certificates.root),
        ])
        verifier = SNPVerifier(anchors: [
            TrustAnchor(
                name: "simulated", product: .genoa,
                keyDigest: authority.rootKey.publicKeyInfoDigest)
        ])
        template = ReportTemplate(
            version: 3, product: .genoa, policy: 0x30000, isSignedByVLEK: false,
            tcb: platform.tcb.raw, measurement: fixed(0xa1),
            hostData: SimulatedIntel.configDigest, reportID: fixed(0x1d), chipID: platform.chipID)
    }

    var authenticator: SNPAuthenticator { SNPAuthenticator(verifier: verifier, directory: nil) }

    /// A signed report of 1184 bytes.
    func report(over reportData: FixedBytes<64>) throws -> [UInt8] {
        let signed = template.signedBytes(reportData: reportData.bytes, vmpl: vmpl)
        let (r, s) = try Self.chipKey.key.signP384SHA384(signed)
        return ReportTemplate.report(
            signedBytes: signed, littleEndianR: r.reversed(), littleEndianS: s.reversed())
    }

    /// What stands first in every evidence of this guest.
    func items(over reportData: FixedBytes<64>, log: [UInt8]? = nil) throws -> [EvidenceItem] {
        var items = [EvidenceItem(.report, try report(over: reportData))]
        if hasTable { items.append(EvidenceItem(.certificateTable, certificates)) }
        if let log { items.append(EvidenceItem(.eventLog, log)) }
        return items
    }

    /// EVIDENCE over `binding`.
    func evidence(
        over binding: FixedBytes<64>, tpm: SimulatedTPM? = nil, log: [UInt8]? = nil
    ) throws -> EvidenceMessage {
        try EvidenceMessage(
            kind: .snp, attestationKeyName: tpm?.name ?? [],
            items: items(over: binding, log: log) + (tpm?.items(over: binding) ?? []))
    }

    /// The same from below an SVSM, which asks over the binding and its manifest.
    func evidence(
        over binding: FixedBytes<64>, manifest: [UInt8], vouched: [UInt8]? = nil,
        tpm: SimulatedTPM?
    ) throws -> EvidenceMessage {
        let bound = OpenSSLHashing().sha512(binding.bytes + (vouched ?? manifest))
        var items = try items(over: bound)
        items += try tpm?.items(over: binding) ?? []
        items.append(EvidenceItem(.manifest, manifest))
        return try EvidenceMessage(
            kind: .svsm, attestationKeyName: tpm?.name ?? [], items: items)
    }

    /// Rules that such a guest satisfies.
    static var rules: PolicyRules {
        var rules = PolicyRules(name: "web")
        rules.measurements = [
            ReferenceMeasurement(
                label: "image", value: fixed(0xa1),
                covers: [.firmware, .kernel, .initramfs, .commandLine])
        ]
        rules.minimumTCB = [.genoa: [.bootloader: 0, .tee: 0, .snp: 0, .microcode: 0]]
        return rules
    }
}
