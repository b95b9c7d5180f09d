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
        /// Something answered that is no evidence.
        case refused
    }

    private var state: State
    /// Entries that do not hold and were told.
    private var told: Set<String>

    init(after outcome: RuntimeLook.Outcome) {
        state = Self.state(outcome)
        told = Set(outcome.result.problems.map(Self.name))
    }

    /// Tells the changes of a look, which may have brought no evidence.
    mutating func tell(_ look: Result<VerifyReport, Failure>, asJSON: Bool) {
        let lines = changes(look, .standard)
        guard !lines.isEmpty else { return }
        if asJSON {
            switch look {
            case .success(let report): Console.print(JSONText.compact(RuntimeAnswer(report)))
            case .failure(let failure): Console.print(JSONText.compact(NoAnswer(failure)))
            }
        } else {
            for line in lines { Console.print(line) }
        }
    }

    /// A line for the state where it changed, and one for each new entry that does not hold.
    mutating func changes(
        _ look: Result<VerifyReport, Failure>, _ screen: Screen
    ) -> [String] {
        let old = state
        switch look {
        case .failure(let failure):
            state = failure.status == .unavailable ? .unreachable : .refused
            guard state != old else { return [] }
            let words = screen.paint("no evidence", .doubtful)
            return ["\(screen.time(screen.now))  \(words): \(failure.message)"]
        case .success(let report):
            state = Self.state(report.outcome)
            let time = screen.time(report.outcome.time)
            let news = report.outcome.result.problems.filter {
                told.insert(Self.name($0)).inserted
            }
            return (state == old ? [] : ["\(time)  \(verdict(screen))"])
                + news.map {
                    "\(time)  entry \($0.index)  \($0.path.shown)  \($0.digest.shown)  "
                        + $0.detail.shown
                }
        }
    }

    /// What tells entries apart, those of another boot included.
    private static func name(_ problem: RuntimeProblem) -> String {
        "\(problem.index) \(problem.check) \(problem.digest) \(problem.path)"
    }

    private static func state(_ outcome: RuntimeLook.Outcome) -> State {
        outcome.isTrusted ? .trusted : .failed(outcome.refusedChecks)
    }

    private func verdict(_ screen: Screen) -> String {
        guard case .failed(let checks) = state else { return screen.paint("trusted", .good) }
        return screen.paint("not trusted", .bad) + ": \(checks.joined(separator: ", ").shown)"
    }
}

/// A look that brought no evidence.
private struct NoAnswer: Encodable {
    let verdict: String
    let message: String

    init(_ failure: Failure) {
        verdict = failure.status == .unavailable ? "unreachable" : "refused"
        message = failure.message
    }
}
