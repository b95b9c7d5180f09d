import Bytes
import Evidence
import Linux
import Verification

/// What `verify --watch` tells: only what is other than at the look before.
struct RuntimeChanges {
    private enum State: Equatable {
        case trusted
        case failed([String])
        case unreachable
    }

    private var state: State
    /// Entries that do not hold and were told.
    private var told: Set<String>

    init(after outcome: RuntimeLook.Outcome) {
        state = Self.state(outcome)
        told = Set(outcome.result.problems.map(Self.name))
    }

    /// Tells the changes; nil where the agent gave no evidence.
    mutating func tell(_ report: VerifyReport?, asJSON: Bool) {
        let lines = changes(report, .standard)
        guard !lines.isEmpty else { return }
        if asJSON {
            Console.print(report.map { JSONText.compact(RuntimeAnswer($0)) } ?? Self.unreachable)
        } else {
            for line in lines { Console.print(line) }
        }
    }

    /// A line for the state where it changed, and one for each new entry that does not hold.
    mutating func changes(_ report: VerifyReport?, _ screen: Screen) -> [String] {
        let now = report.map { Self.state($0.outcome) } ?? .unreachable
        let time = screen.time(report?.outcome.time ?? screen.now)
        var lines: [String] = []
        if now != state { lines.append("\(time)  \(Self.text(now, screen))") }
        state = now
        for problem in report?.outcome.result.problems ?? []
        where told.insert(Self.name(problem)).inserted {
            lines.append(
                "\(time)  entry \(problem.index)  \(problem.path.shown)  "
                    + "\(problem.digest.shown)  \(problem.detail.shown)")
        }
        return lines
    }

    /// What tells entries apart, those of another boot included.
    private static func name(_ problem: RuntimeProblem) -> String {
        "\(problem.index) \(problem.check) \(problem.digest) \(problem.path)"
    }

    private static let unreachable = #"{"verdict":"unreachable"}"#

    private static func state(_ outcome: RuntimeLook.Outcome) -> State {
        outcome.isTrusted ? .trusted : .failed(outcome.refusedChecks)
    }

    private static func text(_ state: State, _ screen: Screen) -> String {
        switch state {
        case .trusted: screen.paint("trusted", .good)
        case .unreachable: screen.paint("no evidence", .doubtful) + ": the agent does not answer"
        case .failed(let checks):
            screen.paint("not trusted", .bad) + ": \(checks.joined(separator: ", ").shown)"
        }
    }
}
