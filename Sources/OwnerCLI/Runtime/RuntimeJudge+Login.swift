import Authenticators
import Bytes
import Evidence
import Linux
import OpenSSL
import Policy
import Verification

extension RuntimeJudge {
    /// Lets `client` show its login where TLS alone does not say who answers, if fresh evidence vouches for the
    /// certificate of its connection.
    ///
    /// Whoever stands between can pass evidence on, and cannot serve the certificate that it names. Which VM it is,
    /// the policy says; without one any genuine VM will do.
    func admit(_ client: AgentClient) throws(Failure) {
        guard client.takesAnyCertificate else { return }
        let time = Clock.realtime
        let fresh = try FreshEvidence(from: client, authenticator, at: time)
        let claims = fresh.authentication.claims
        let judged = try policy.judge(claims, at: time)
        let served = fresh.peer.certificateDigest
        let stated = fresh.statement.certificate
        let certificate = Finding(
            check: RuntimeCheck.certificate.rawValue, outcome: served == stated ? .ok : .refused,
            expected: stated.hex, actual: served.hex)
        let findings = fresh.authentication.findings + [certificate] + judged.findings
        let refused = findings.first { $0.outcome == .refused }
        guard claims != nil, judged.holds, refused == nil else {
            let reason =
                refused.map { "\"\($0.check)\": expected \($0.expected), got \($0.actual)" }
                ?? "a check that must hold could not be made"
            throw Failure(
                .refused, "the login was not sent to \(client.address): \(reason)".shown,
                next: "Next: `bootgate verify` shows every check; --ca FILE believes the agent's "
                    + "certificate without evidence.")
        }
        client.believe(served)
    }
}
