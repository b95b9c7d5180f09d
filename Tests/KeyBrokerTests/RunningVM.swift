import Authenticators
import BrokerCore
import Bytes
import Evidence
import Linux
import OpenSSL
import Protocol
import Store
import TestSupport
import Testing
import Verification

@testable import KeyBroker
@testable import SimulatedPSP

/// Keys of a run: making RSA takes seconds, so they are made once.
final class RunKey: Sendable {
    static let issuer = RunKey(.rsa4096)
    static let chip = RunKey(.p384)
    static let tpm = RunKey(.p256)
    static let otherTPM = RunKey(.p256)

    let key: SigningKey

    private init(_ kind: SigningKey.Kind) {
        do {
            key = try SigningKey.generate(kind)
        } catch {
            preconditionFailure("no key: \(error)")
        }
    }
}

/// A VM on a simulated SNP chip with a TPM and an IMA log, launched and running; tests change one thing.
struct RunningVM {
    static let hashing = OpenSSLHashing()

    var name = "web-1"
    let authenticator: SNPAuthenticator
    private let certificates: [UInt8]
    var template: ReportTemplate
    var config: FixedBytes<32>
    var tpmKey = RunKey.tpm
    /// What the statement calls the key; nil for its name.
    var statedKeyName: [UInt8]?
    var resetCount: UInt32 = 3
    /// Whether its reports have a quote.
    var quotes = true
    /// The log, and how many entries of it the quote covers; nil for all.
    var entries: [IMALogBuilder.Entry]
    var quotedCount: Int?

    private static let start = (0..<10).map { [UInt8](repeating: UInt8($0), count: 32) }
    private static let boot =
        [
            IMALogBuilder.Entry(
                "boot_aggregate", sha256: hashing.sha256(Array(start.joined())).bytes)
        ] + ["/usr/sbin/a", "/etc/b"].map(file)

    init(config: FixedBytes<32>) throws {
        let now = Clock.realtime
        let platform = Platform(
            product: .genoa, keyKind: .vcek, tcb: SimulatedTCB(product: .genoa),
            chipID: fixed(0xc4))
        let authority = try Authority(
            product: .genoa, keyKind: .vcek,
            rootKey: try SigningKey(pem: try RunKey.issuer.key.pem()),
            intermediateKey: try SigningKey(pem: try RunKey.issuer.key.pem()), now: now)
        certificates = CertificateTableWriter.table([
            (
                CertificateTableWriter.vcek,
                try authority.endorse(platform, key: RunKey.chip.key, now: now)
            ),
            (CertificateTableWriter.ask, authority.certificates.intermediate),
            (CertificateTableWriter.ark, authority.certificates.root),
        ])
        let anchor = TrustAnchor(
            name: "simulated", product: .genoa, keyDigest: authority.rootKey.publicKeyInfoDigest)
        authenticator = SNPAuthenticator(
            verifier: SNPVerifier(anchors: [anchor]), directory: nil)
        template = ReportTemplate(
            version: 3, product: .genoa, policy: 0x30000, isSignedByVLEK: false,
            tcb: platform.tcb.raw, measurement: fixed(0xa1), hostData: config,
            reportID: fixed(0x1d), chipID: platform.chipID)
        self.config = config
        entries = Self.boot
    }

    /// An entry of a file whose content is its path.
    static func file(_ path: String) -> IMALogBuilder.Entry {
        IMALogBuilder.Entry(path, sha256: hashing.sha256(Array(path.utf8)).bytes)
    }

    /// Starts anew: another guest to the processor, one more reset to the TPM, a log from its beginning.
    mutating func reboot(as reportID: UInt8) {
        template.reportID = fixed(reportID)
        resetCount += 1
        entries = Self.boot
    }

    /// What the agent would put into a snapshot now.
    func snapshot(namesKey: Bool = true) throws -> [UInt8] {
        var snp = SnapshotHeader.SNPPolicy()
        snp.measurement = template.measurement
        snp.reportID = template.reportID
        var writer = SnapshotWriter(
            SnapshotHeader(
                teePolicy: .snp(snp), tpmPolicy: .init(resetCount: resetCount, restartCount: 0)))
        for entry in entries.dropFirst() {
            let path = Array(entry.texts[1].utf8)
            writer.file(path: path, digest: Self.hashing.sha256(path).bytes)
        }
        writer.details(
            SnapshotDetails(
                vm: name, hostName: "web", bootID: "b", time: 1, hash: .sha256,
                attestationKeyName: namesKey ? try Self.keyName(RunKey.tpm) : []))
        writer.end()
        return writer.take()
    }

    /// The binary log.
    var log: [UInt8] {
        IMALogBuilder(entries).binary { Self.hashing.digest(.sha1, $0) }
    }

    private static func publicArea(_ key: RunKey) throws -> [UInt8] {
        let info = try key.key.publicKey.subjectPublicKeyInfo
        return TPMPublicBuilder(p256X: Array(info.suffix(64).prefix(32)), y: info.suffix(32)).bytes
    }

    static func keyName(_ key: RunKey) throws -> [UInt8] {
        [0, 0x0b] + hashing.sha256(try publicArea(key)).bytes
    }

    private func report(over binding: FixedBytes<64>) throws -> [EvidenceItem] {
        let signed = template.signedBytes(reportData: binding.bytes, vmpl: 0)
        let (r, s) = try RunKey.chip.key.signP384SHA384(signed)
        return [
            EvidenceItem(
                .report,
                ReportTemplate.report(
                    signedBytes: signed, littleEndianR: r.reversed(), littleEndianS: s.reversed())),
            EvidenceItem(.certificateTable, certificates),
        ]
    }

    /// What a kernel has put into PCR 10.
    private var register: [UInt8] {
        entries.prefix(quotedCount ?? entries.count).reduce([UInt8](repeating: 0, count: 32)) {
            Self.hashing.sha256($0 + Self.hashing.sha256($1.data).bytes).bytes
        }
    }

    private func quote(over binding: FixedBytes<64>) throws -> [EvidenceItem] {
        let registers = (Self.start + [register]).enumerated().map { ($0.offset, $0.element) }
        var writer = TPMQuoteWriter(
            nonce: Self.hashing.sha256(binding.bytes).bytes, registers: registers,
            signer: [0, 0x0b] + [UInt8](repeating: 0x5a, count: 32))
        writer.resetCount = resetCount
        var values = PCRValues()
        for (index, digest) in registers {
            try values.insert(digest, at: UInt8(index), in: .sha256)
        }
        return [
            EvidenceItem(.tpmQuote, writer.attestation),
            EvidenceItem(.tpmSignature, try writer.signature(by: tpmKey.key)),
            EvidenceItem(.tpmPublic, try Self.publicArea(tpmKey)),
            EvidenceItem(.pcrValues, values.encoded),
        ]
    }

    private var ownKeyName: [UInt8] {
        get throws { quotes ? try Self.keyName(tpmKey) : [] }
    }

    private func statement() throws -> [UInt8] {
        RuntimeStatement(
            vm: name, hostName: "web", certificate: fixed(0xce),
            attestationKeyName: try statedKeyName ?? ownKeyName, sshHostKeys: [],
            bootID: "b", snapshot: nil
        ).encoded()
    }

    /// Boots by the gate: what the broker answered, and its binding. Proves the unlocking unless told not to.
    @discardableResult
    func launch(_ broker: TestBroker, proves: Bool = true) throws -> (
        answer: AttesterEvent?, launch: FixedBytes<16>?, proof: FixedBytes<32>
    ) {
        let vm = try TestVM(broker)
        var session = AttesterSession(
            hello: try vm.hello(name, config: config), exporter: try vm.handshake(),
            hashing: Self.hashing)
        try vm.send(session.start())
        let challenge = try session.receive(try vm.receive()).first
        let binding = try #require(session.reportData())
        try vm.send(
            session.send(try EvidenceMessage(kind: .snp, items: try report(over: binding))))
        let answer = try session.receive(try vm.receive()).first
        let proof = HMAC.sha256(key: secret(0x9f), binding.bytes)
        if case .released = answer, proves {
            try vm.send(session.send(.unlocked(proof: proof, stagedDigest: nil)))
            #expect(try session.receive(try vm.receive()) == [.closed])
        }
        guard case .challenge(let challenge) = challenge else { return (answer, nil, proof) }
        return (answer, challenge.launchID, proof)
    }

    /// Reports: where the log was asked for from, if it was, and how the broker ended the report.
    func report(
        _ broker: TestBroker, log: [UInt8]? = nil, replaying old: EvidenceMessage? = nil
    ) throws -> (offset: UInt64?, end: AttesterEvent?, evidence: EvidenceMessage) {
        let vm = try TestVM(broker)
        let statement = try statement()
        var session = AttesterSession(
            hello: .report(
                vm: try #require(VMIdentifier(name)), keyName: .disk, configDigest: config,
                statementDigest: Self.hashing.sha256(statement), evidenceKinds: [.snp]),
            exporter: try vm.handshake(), hashing: Self.hashing)
        try vm.send(session.start())
        _ = try session.receive(try vm.receive())
        let keyName = try ownKeyName
        let binding = try #require(session.reportData(attestationKeyName: keyName))
        let evidence =
            try old
            ?? EvidenceMessage(
                kind: .snp, attestationKeyName: keyName,
                items: try report(over: binding) + (quotes ? quote(over: binding) : []) + [
                    EvidenceItem(.statement, statement)
                ])
        try vm.send(session.send(evidence))
        let event = try session.receive(try vm.receive()).first
        guard case .logWanted(let offset) = event else { return (nil, event, evidence) }
        // In parts that end within an entry.
        let rest = Array((log ?? self.log).dropFirst(Int(offset)))
        for start in stride(from: 0, to: rest.count, by: 50) {
            let part = Array(rest[start..<min(start + 50, rest.count)])
            try vm.send(session.send(LogPart(isLast: false, data: part)))
        }
        try vm.send(session.send(LogPart(isLast: true, data: [])))
        return (offset, try session.receive(try vm.receive()).first, evidence)
    }
}
