import Authenticators
import Bytes
import Evidence
import OpenSSL
import Policy
import Verification

/// Looks at a running VM, once or again and again; a later look fetches only what is new in the log.
struct RuntimeLook {
    let client: AgentClient
    let judge: RuntimeJudge
    private let place: Place

    /// What the log's parts go to while they come.
    private final class Place {
        var log: RuntimeLog?
    }

    /// What came of one look.
    struct Outcome {
        /// What the agent says of itself.
        let statement: RuntimeStatement
        /// Such as `SNP Genoa`; nil where the evidence was not read so far.
        let platform: String?
        /// When, Unix seconds by this machine's clock.
        let time: Int64
        /// What was found of evidence, log and snapshot.
        let result: RuntimeResult
        /// Whether every rule of the policy that such evidence can meet was met.
        let holdsPolicy: Bool
        /// What was asked beside the agent.
        var further: [Finding] = []

        var findings: [Finding] { result.findings + further }

        /// Whether everything that trust rests on was checked and held, and nothing was refused: the
        /// processor's evidence, a log that replays, and a snapshot that has all of it.
        var isTrusted: Bool {
            result.isTrusted && result.isHeldToSnapshot && holdsPolicy
                && !further.contains { $0.outcome == .refused }
        }

        /// The names of the checks that refuse, each once.
        var refusedChecks: [String] { findings.filter { $0.outcome == .refused }.checks }
    }

    init(client: AgentClient, judge: RuntimeJudge) {
        self.client = client
        self.judge = judge
        place = Place()
    }

    /// Asks for fresh evidence, then for the log, and holds both against the reference.
    func look(
        at time: Int64, against verifier: RuntimeVerifier
    ) throws(Failure) -> Outcome {
        let fresh = try FreshEvidence(from: client, judge.authenticator, at: time)
        let claims = fresh.authentication.claims
        let judged = try judge.policy.judge(claims, at: time)
        let report = RuntimeReport(
            statement: fresh.statement,
            findings: fresh.authentication.findings + judged.findings, claims: claims,
            attestationKeyName: fresh.attestationKeyName,
            servedCertificate: fresh.peer.certificateDigest)
        if place.log?.proceed(to: report) != true {
            place.log = RuntimeLog(of: report, against: verifier.reference)
        }
        if let log = place.log { try read(from: Int(log.byteCount)) }
        return Outcome(
            statement: fresh.statement, platform: fresh.authentication.platform, time: time,
            result: verifier.verify(report, log: &place.log), holdsPolicy: judged.holds)
    }

    private func read(from offset: Int) throws(Failure) {
        let place = place
        _ = try client.imaLog(from: offset) { part in
            place.log?.append(part[...])
            // What is behind an entry that cannot be read is not worth reading.
            return place.log?.isUnreadable != true
        }
    }
}

extension [Finding] {
    /// The names of the checks, each once.
    var checks: [String] {
        var names: [String] = []
        for finding in self where !names.contains(finding.check) { names.append(finding.check) }
        return names
    }
}
