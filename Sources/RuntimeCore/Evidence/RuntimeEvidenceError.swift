public import Attester

/// Why there is no evidence of a running VM.
public enum RuntimeEvidenceError: Error, Equatable, Sendable {
    /// This machine has no secure processor, so nothing could be proved.
    case absent(AttesterError)
    /// The secure processor or the TPM is there, or was, and gave nothing.
    case unavailable(AttesterError)
    /// The TPM makes another key than it did a moment ago, when the statement was made.
    case keyChanged
    /// What was asked for cannot be quoted.
    case unusable(field: String, rule: String)
}

extension RuntimeEvidenceError: CustomStringConvertible {
    /// One line: what was asked and what came.
    public var description: String {
        switch self {
        case .absent(let error), .unavailable(let error): error.description
        case .keyChanged: "the TPM's key is not the one of the statement; it was cleared meanwhile"
        case .unusable(let field, let rule): "\(field): \(rule)"
        }
    }
}

extension RuntimeEvidenceError {
    init(_ error: AttesterError) {
        if case .noPlatform = error {
            self = .absent(error)
        } else {
            self = .unavailable(error)
        }
    }
}
