import Bytes
import Policy
import Verification

/// What came of evidence in files.
struct AppraisalReport {
    /// The subcommand's name.
    let kind: String
    let title: String
    /// The time that dates were judged by, Unix seconds.
    let time: Int64
    let claims: AppraisedClaims
    let findings: [Finding]
    /// Entries of a log that do not hold.
    var problems: [IMAProblem] = []
    /// Whether everything that acceptance rests on was checked and held; a refused finding refuses in
    /// any case.
    let holds: Bool

    var isAccepted: Bool {
        holds && !findings.contains { $0.outcome == .refused }
    }

    func print(asJSON: Bool) -> ExitStatus {
        Output.show(json, asJSON: asJSON, else: lines(.standard))
        return isAccepted ? .success : .refused
    }

    /// First the answer, then what was said, then every check, then what to do.
    func lines(_ screen: Screen) -> [String] {
        var lines = [headline(screen), ""]
        let shown = claims.standing + claims.groups.flatMap(\.members)
        let titled = shown.compactMap { claim in claim.title.map { ($0, claim.shownValue) } }
        let width = (titled.map(\.0.count).max() ?? 0) + 2
        lines += titled.map { "  \($0.0.padded(to: width))\($0.1.shown)" } + [""]
        lines += FindingLines(findings: findings).lines(screen)
        let hints = findings.filter { $0.outcome == .refused }.compactMap(\.note)
        var told: Set<String> = []
        lines += hints.filter { told.insert($0).inserted }.map { "Hint: \($0.shown)" }
        lines.append("Next: \(next)")
        return lines
    }

    private func headline(_ screen: Screen) -> String {
        let refused = findings.filter { $0.outcome == .refused }
        if isAccepted {
            let open = findings.count { $0.outcome == .notChecked }
            let rest =
                switch open {
                case 0: ""
                case 1: " One check was not made; see below."
                default: " \(open) checks were not made; see below."
                }
            return screen.paint("Accepted", .good) + ": \(title)." + rest
        }
        let because =
            switch refused.count {
            case 0: "a check that must hold could not be made"
            case 1: "the check \"\(refused[0].check.shown)\" does not hold"
            default: "\(refused.count) checks do not hold"
            }
        return screen.paint("Refused", .bad) + ": \(title), \(because)."
    }

    private var next: String {
        let page = "docs/appraise.md"
        if isAccepted {
            return findings.contains { $0.outcome == .notChecked }
                ? "\(page) says what each check that was not made needs."
                : "nothing; every check was made and held."
        }
        return "\(page) says where each check is explained."
    }

    /// The shape is documented in docs/appraise.md; members are added, never changed.
    var json: ClaimValue {
        .object(
            [
                Claim("kind", nil, .text(kind)),
                Claim("verdict", nil, .text(isAccepted ? "accepted" : "refused")),
                Claim("time", nil, .text(ISO8601.text(time))),
                claims.launchClassMember, claims.configAnchorMember,
                Claim(
                    "claims", nil,
                    claims.groups.isEmpty
                        ? .none
                        : .object(claims.groups.map { Claim($0.name, nil, .object($0.members)) })),
                Claim("findings", nil, .list(findings.map(Self.json))),
            ] + problemsMember)
    }

    private var problemsMember: [Claim] {
        guard kind == "ima" else { return [] }
        return [
            Claim(
                "problems", nil,
                .list(
                    problems.map {
                        .object([
                            Claim("check", nil, .text($0.check.rawValue)),
                            Claim("entry", nil, .number(UInt64($0.index))),
                            Claim("path", nil, .text($0.path)),
                            Claim("detail", nil, .text($0.detail)),
                        ])
                    }))
        ]
    }

    private static func json(_ finding: Finding) -> ClaimValue {
        .object(
            [
                Claim("check", nil, .text(finding.check)),
                Claim("outcome", nil, .text(finding.outcome.rawValue)),
                Claim("expected", nil, .text(finding.expected)),
                Claim("actual", nil, .text(finding.actual)),
            ] + (finding.note.map { [Claim("note", nil, .text($0))] } ?? []))
    }
}
