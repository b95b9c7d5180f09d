import OpenSSL
import Policy

/// What came of a case.
enum Verdict: Equatable {
    case accept
    /// One word for the first thing that was wrong, and the finding behind it.
    case reject(reason: String, detail: String)
    /// The case itself cannot be run.
    case error(String)

    /// Accepts where no finding is a refusal; else the word for the first one.
    ///
    /// `certificates` and `time` (Unix seconds) tell one that is over from one that is not yet valid.
    /// `words` go before the usual ones.
    init(
        _ findings: [Finding], _ certificates: [X509Certificate] = [], at time: Int64 = 0,
        words: [String: String] = [:]
    ) {
        guard let refused = findings.first(where: { $0.outcome == .refused }) else {
            self = .accept
            return
        }
        let isOver = certificates.contains { $0.notAfter < time }
        self = .reject(
            reason: words[refused.check] ?? Reason.word(for: refused, isOver: isOver),
            detail: "\(refused.check): expected \(refused.expected), got \(refused.actual)")
    }
}

extension Verdict {
    /// The same, but for evidence of which nobody could say that it is authentic.
    func orNoClaims(_ hasClaims: Bool) -> Verdict {
        guard self == .accept, !hasClaims else { return self }
        return .reject(reason: "malformed", detail: "a check that must hold could not be made")
    }
}

/// Why a case cannot be run: a file that is missing, or an index of another shape.
struct VectorFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
