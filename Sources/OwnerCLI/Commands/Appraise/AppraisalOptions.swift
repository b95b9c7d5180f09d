import ArgumentParser
import Bytes
import Evidence
import Linux
import OpenSSL
import Policy
import Verification

/// The clock of an appraisal.
struct AppraisalTime: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The time to judge dates by, such as 2026-11-21T08:00:00Z.",
            discussion: "Default: now, by this machine's clock.", valueName: "time"))
    var at: String?

    func validate() throws {
        guard at.map({ ISO8601.time($0) != nil }) ?? true else {
            throw ValidationError("--at: expected a time such as 2026-11-21T08:00:00Z")
        }
    }

    /// Unix seconds.
    var seconds: Int64 { at.flatMap(ISO8601.time) ?? Clock.realtime }
}

/// Whose word counts.
struct RootOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A root certificate to believe instead of the vendors' own; for simulated hardware.",
            valueName: "file"), completion: .file())
    var root: [String] = []

    /// The vendor's roots, or only those of `--root` that are for this kind of evidence.
    func anchors(
        _ vendor: [TrustAnchor], as families: (X509Certificate) -> [TrustAnchor.Family]
    ) throws(Failure) -> [TrustAnchor] {
        guard !root.isEmpty else { return vendor }
        var anchors: [TrustAnchor] = []
        for path in root {
            let certificate = try EvidenceFile.certificate(path, "--root")
            anchors += families(certificate).map {
                TrustAnchor(
                    name: certificate.subjectCommonName, family: $0,
                    keyDigest: certificate.subjectPublicKeyInfoDigest)
            }
        }
        return anchors
    }

    /// For SNP reports: a root says by its name for which processor line.
    func amd() throws(Failure) -> [TrustAnchor] {
        let anchors = try anchors(TrustAnchor.amd, as: Self.families)
        guard !anchors.isEmpty else {
            throw Failure(
                .unusableInput,
                "--root: none is called ARK-Milan, ARK-Genoa or ARK-Turin, as roots of SNP are")
        }
        return anchors
    }

    /// The processor lines that a root of AMD's is for.
    static func families(_ root: X509Certificate) -> [TrustAnchor.Family] {
        SNPProduct.allCases.filter { root.subjectCommonName == "ARK-\($0.rawValue)" }
            .map(TrustAnchor.Family.snp)
    }

    func intel() throws(Failure) -> [TrustAnchor] {
        try anchors(TrustAnchor.intel) { _ in [.tdx] }
    }

    func attestationKeys() throws(Failure) -> [TrustAnchor] {
        try anchors(TrustAnchor.google) { _ in [.attestationKey] }
    }
}

/// A policy for evidence by itself.
struct AppraisalPolicyOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A policy to hold the claims against; rules about a launch are not checked.",
            valueName: "file"), completion: .file(extensions: ["toml"]))
    var policy: String?

    /// What a policy said.
    struct Judgement {
        var findings: [Finding] = []
        /// Whether every rule that evidence by itself can meet was met.
        var holds = true
    }

    /// What the policy makes of a processor's claims, at `time`.
    func judge(_ claims: Claims?, at time: Int64) throws(Failure) -> Judgement {
        guard let policy = try loaded() else { return try Self.withoutPolicy(claims, at: time) }
        guard let claims else { return Self.unjudged }
        let findings = policy.evaluate(claims, at: time)
        return Judgement(
            findings: findings,
            holds: Check.permitAppraisal(findings, checks: policy.checks(for: claims)))
    }

    /// What the policy makes of a TPM's quote and a log, where no processor speaks.
    func judge(tpm: TPMClaims?, boot: BootFacts?) throws(Failure) -> Judgement {
        guard let policy = try loaded() else { return Judgement() }
        guard tpm != nil || boot != nil else { return Self.unjudged }
        let findings = policy.evaluate(tpm: tpm, boot: boot)
        return Judgement(
            findings: findings, holds: !findings.contains { $0.outcome == .refused })
    }

    /// The policy, if one was named.
    func loaded() throws(Failure) -> AppraisalPolicy? {
        guard let policy else { return nil }
        let file = try PolicyFile(path: policy)
        do throws(PolicyError) {
            return try AppraisalPolicy(validating: file.rules)
        } catch {
            throw Failure(.unusableInput, "policy \(policy.shown): \("\(error)".shown)")
        }
    }

    /// What no evidence may say unless a policy allows it: that the host may look into the guest, and that
    /// Intel rates the platform as less than up to date.
    private static func withoutPolicy(
        _ claims: Claims?, at time: Int64
    ) throws(Failure) -> Judgement {
        guard let claims else { return Judgement() }
        var checks: Set<Check> = [.debug]
        if claims.tdx?.tcbStatus != nil { checks.insert(.tcbStatus) }
        let names = Set(checks.map(\.rawValue))
        let policy: AppraisalPolicy
        do throws(PolicyError) {
            policy = try AppraisalPolicy(validating: PolicyRules(name: "none"))
        } catch {
            throw Failure(.internal, "the rules that need no policy: \(error)")
        }
        let findings = policy.evaluate(claims, at: time).filter { names.contains($0.check) }
        return Judgement(
            findings: findings.map { finding in
                guard finding.outcome == .refused else { return finding }
                return Finding(
                    check: finding.check, outcome: .refused, expected: finding.expected,
                    actual: finding.actual,
                    note: [finding.note, "only a --policy can allow it"].compactMap { $0 }
                        .joined(separator: "; "))
            })
    }

    private static let unjudged = Judgement(
        findings: [
            Finding(
                check: "policy", outcome: .notChecked, expected: "authentic evidence",
                actual: "none", note: "nothing in evidence that is not authentic can be compared")
        ], holds: false)
}
