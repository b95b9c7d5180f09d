public import Bytes
import Policy
public import Protocol

/// Hands each kind of evidence to whoever reads it.
public struct PlatformAuthenticator: EvidenceAuthenticator {
    private let parts: [any EvidenceAuthenticator]

    /// Joins `parts`; where two read one kind, the first one does.
    public init(_ parts: [any EvidenceAuthenticator]) {
        self.parts = parts
    }

    /// Every kind that some part reads.
    public var kinds: Set<EvidenceKind> {
        parts.reduce(into: []) { $0.formUnion($1.kinds) }
    }

    /// Authenticates by the part for that kind.
    public func authenticate(
        _ evidence: EvidenceMessage, binding: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Authentication {
        guard let part = parts.first(where: { $0.kinds.contains(evidence.kind) }) else {
            let known = kinds.sorted().map(\.description).joined(separator: " or ")
            return Authentication(findings: [
                Finding(
                    check: "evidence kind", outcome: .refused, expected: known,
                    actual: evidence.kind.description)
            ])
        }
        return try part.authenticate(evidence, binding: binding, at: time)
    }
}
