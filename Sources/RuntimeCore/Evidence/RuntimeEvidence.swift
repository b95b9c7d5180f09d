public import Attester
public import Bytes
public import Evidence
import OpenSSL
public import Protocol
public import TPM

/// Makes evidence of this VM as it runs: docs/runtime.md, "What travels".
///
/// One request at a time asks the hardware; the others wait. Calls block, for seconds where the hardware
/// is slow: not for a thread of an event loop.
public final class RuntimeEvidence: Sendable {
    /// What a statement is about.
    public struct Subject: Sendable {
        /// The VM's id, where it was booted by the gate.
        public let vm: VMIdentifier?
        /// What the machine calls itself.
        public let host: Host
        /// SHA-256 of the DER of the certificate that the agent serves.
        public let certificate: FixedBytes<32>
        /// The SSH server's keys at a moment: a first boot makes them when it gets to it.
        public let sshHostKeys: @Sendable () -> [RuntimeStatement.SSHHostKey]

        /// Puts a subject together.
        public init(
            vm: VMIdentifier?, host: Host, certificate: FixedBytes<32>,
            sshHostKeys: @escaping @Sendable () -> [RuntimeStatement.SSHHostKey]
        ) {
            self.vm = vm
            self.host = host
            self.certificate = certificate
            self.sshHostKeys = sshHostKeys
        }
    }

    /// How this machine's processor is found.
    public typealias Discovery = @Sendable () throws(AttesterError) -> any EvidenceProvider

    /// What the statements are about.
    public let subject: Subject
    /// The kernel's log that quotes stand for.
    public let log: IMALog
    let machine: Machine
    let hashing = OpenSSLHashing()
    private let snapshot: @Sendable () -> FixedBytes<32>?

    /// - Parameters:
    ///   - tpm: the device to quote by; nil: none is asked.
    ///   - expectsTPM: whether there is no evidence while that device is missing, even if it was never there.
    ///   - snapshot: SHA-256 of the snapshot that the agent holds at this moment.
    ///   - discovery: for tests, instead of what the kernel shows.
    public init(
        _ subject: Subject, tpm: TPM.Device? = .resourceManager, expectsTPM: Bool = false,
        log: IMALog = IMALog(),
        snapshot: @escaping @Sendable () -> FixedBytes<32>?,
        discovery: @escaping Discovery = RuntimeEvidence.runningKernel
    ) {
        self.subject = subject
        self.log = log
        self.snapshot = snapshot
        machine = Machine(tpm: tpm, expectsTPM: expectsTPM, discovery: discovery)
    }

    private init(_ subject: Subject, like other: RuntimeEvidence) {
        self.subject = subject
        log = other.log
        snapshot = other.snapshot
        machine = other.machine
    }

    /// Evidence about another subject on the same machine, such as after a renewal of the certificate;
    /// requests of both wait for each other.
    public func about(_ subject: Subject) -> RuntimeEvidence {
        RuntimeEvidence(subject, like: self)
    }

    /// What the kernel shows at this moment.
    public static let runningKernel: Discovery = { () throws(AttesterError) in
        try Platforms.discover(hashing: OpenSSLHashing())
    }

    /// Evidence for whoever asks over a TLS connection: POST /v1/evidence.
    ///
    /// The quote is taken before this returns, so a log that is read afterwards has all of it.
    ///
    /// - Parameters:
    ///   - nonce: the caller's.
    ///   - exporter: `tls-exporter` of the caller's connection.
    ///   - pcrs: registers beside 0 to 10, each 0 to 23.
    /// - Returns: the statement's exact bytes, and the body of an EVIDENCE frame.
    public func evidence(
        nonce: FixedBytes<32>, exporter: FixedBytes<32>, pcrs: [Int] = []
    ) throws(RuntimeEvidenceError) -> (statement: [UInt8], evidence: [UInt8]) {
        guard pcrs.count <= 24, pcrs.allSatisfy((0...23).contains) else {
            throw .unusable(field: "pcrs", rule: "expected at most 24 registers, from 0 to 23")
        }
        return try machine.asking(plan(pcrs)) { platform throws(AttesterError) in
            var statement: [UInt8] = []
            let message = try platform.evidence { name in
                statement = self.statement(signedBy: name).encoded()
                return Binding.runtime(
                    exporter: exporter, statement: statement, nonce: nonce,
                    attestationKeyName: name, hashing: hashing)
            }
            return (statement, message.encoded())
        }
    }

    /// The statement of a report to the broker, and the kind of the evidence that would follow: HELLO
    /// names both before there is a challenge.
    public func statement() throws(RuntimeEvidenceError) -> (
        statement: RuntimeStatement, kind: EvidenceKind
    ) {
        try machine.asking(plan()) { platform throws(AttesterError) in
            (statement(signedBy: try platform.attestationKeyName()), platform.kind)
        }
    }

    /// Evidence for the broker over the binding of its session, `statement` among the items.
    ///
    /// - Throws: `RuntimeEvidenceError.keyChanged` where the TPM signs by another key than `statement`
    ///   names.
    public func evidence(
        of statement: RuntimeStatement,
        over binding: (_ attestationKeyName: [UInt8]) -> FixedBytes<64>
    ) throws(RuntimeEvidenceError) -> EvidenceMessage {
        let message = try machine.asking(plan()) { platform throws(AttesterError) in
            try platform.evidence(over: binding)
        }
        guard message.attestationKeyName == statement.attestationKeyName else {
            throw .keyChanged
        }
        do {
            return try EvidenceMessage(
                kind: message.kind, attestationKeyName: message.attestationKeyName,
                items: message.items + [EvidenceItem(.statement, statement.encoded())])
        } catch {
            throw .unavailable(.badReport(field: "items", problem: error.description))
        }
    }

    /// The kind of evidence that this machine can give.
    public func kind() throws(RuntimeEvidenceError) -> EvidenceKind {
        try machine.asking(nil) { platform in platform.kind }
    }

    /// Whether there is a TPM and it answers; false where none was configured, expected or ever seen.
    public func hasTPM() throws(RuntimeEvidenceError) -> Bool {
        let banks = try machine.askingTPM { device throws(AttesterError) in
            do throws(TPMError) {
                return try TPM(device).banks()
            } catch {
                throw .tpm(error)
            }
        }
        return banks?.contains { $0 != .sha1 } == true
    }

    private func statement(signedBy name: [UInt8]) -> RuntimeStatement {
        RuntimeStatement(
            vm: subject.vm?.description, hostName: subject.host.name,
            certificate: subject.certificate, attestationKeyName: name,
            sshHostKeys: subject.sshHostKeys(), bootID: subject.host.bootID, snapshot: snapshot())
    }

    func plan(_ pcrs: [Int] = []) -> TPMQuotePlan {
        .runtime(registers: pcrs, withSHA1: log.isAggregatedBySHA1)
    }
}
