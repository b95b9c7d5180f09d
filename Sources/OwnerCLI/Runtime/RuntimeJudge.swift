import AdminAPI
import ArgumentParser
import Authenticators
import Bytes
import Evidence
import Policy
import Verification

/// What the evidence of a running VM is held against, but for the snapshot.
struct RuntimeJudge {
    let authenticator: PlatformAuthenticator
    let policy: RuntimePolicy
    /// Files that may be there although the snapshot lacks them.
    var whitelist: IMADigestTable?

    /// Holds a VM against `snapshot` too.
    func verifier(of snapshot: Snapshot) throws(Failure) -> RuntimeVerifier {
        do throws(RuntimeReferenceError) {
            return RuntimeVerifier(
                try RuntimeReference(
                    snapshot: snapshot, further: whitelist, rules: policy.runtimeRules))
        } catch {
            throw Failure(.unusableInput, "--policy: runtime.allow: \("\(error)".shown)")
        }
    }
}

/// What a policy says of a running VM; without one, what no VM may say unless a policy allows it.
struct RuntimePolicy {
    let option: AppraisalPolicyOption
    private let policy: AppraisalPolicy?

    init(_ option: AppraisalPolicyOption) throws(Failure) {
        self.option = option
        policy = try option.loaded()
    }

    /// The section `[runtime]`; the strict rules where there is none.
    var runtimeRules: RuntimeRules { policy?.rules.runtime ?? RuntimeRules() }

    /// What the policy makes of claims, and whether every rule of it that such evidence can meet was met.
    func judge(
        _ claims: Claims?, at time: Int64
    ) throws(Failure) -> AppraisalPolicyOption.Judgement {
        guard let policy, let claims else { return try option.judge(claims, at: time) }
        let findings = policy.evaluateRuntime(claims, at: time)
        return AppraisalPolicyOption.Judgement(
            findings: findings,
            holds: Check.permitAppraisal(findings, checks: policy.runtimeChecks(for: claims)))
    }
}

extension RuntimeBoot {
    /// The boot that a broker expects.
    init(_ record: BootRecord) {
        self.init(
            reportID: record.reportID.flatMap { FixedBytes(hex: $0) },
            resetCount: record.resetCount, restartCount: record.restartCount)
    }
}

/// Options of every command that looks at a running VM.
struct RuntimeJudgeOptions: ParsableArguments {
    @OptionGroup var evidence: EvidenceOptions
    @OptionGroup var policy: AppraisalPolicyOption

    func judge() throws(Failure) -> RuntimeJudge {
        RuntimeJudge(
            authenticator: try evidence.authenticator(), policy: try RuntimePolicy(policy))
    }
}

/// A list of files that may be there: lines of a path and a digest, as `cosmian_vm` reads them.
enum WhitelistFile {
    private static let limit = 64 << 20

    static func read(_ path: String, _ option: String) throws(Failure) -> IMADigestTable {
        var table = IMADigestTable()
        let lines = try EvidenceFile.read(path, option, atMost: limit)
            .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 <= 0x20 }) {
            // A path may have spaces, a digest has none.
            guard let space = line.lastIndex(where: { $0 == 0x20 || $0 == 0x09 }),
                case let name = line[..<space].drop(while: { $0 <= 0x20 }), !name.isEmpty,
                let digest = Hex.decode(
                    String(decoding: line[(space + 1)...].filter { $0 > 0x20 }, as: UTF8.self)),
                [20, 32, 48, 64].contains(digest.count)
            else {
                throw Failure(
                    .unusableInput,
                    "\(option): \(path.shown), line \(index + 1): expected a path, a space and a "
                        + "digest in hexadecimal digits")
            }
            table.insert(name: SnapshotPath.normalized(name), digest: digest)
        }
        return table
    }
}
