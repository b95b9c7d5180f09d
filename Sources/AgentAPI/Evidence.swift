/// Body of `POST /v1/evidence`.
public struct EvidenceRequest: Codable, Equatable, Sendable {
    /// 32 random bytes of the caller's, in hexadecimal.
    public var nonce: String
    /// The registers to quote beside PCR 10, 0 to 23; the default is 0 to 9 and 10.
    public var pcrs: [Int]?

    /// Asks for fresh evidence.
    public init(nonce: String, pcrs: [Int]? = nil) {
        self.nonce = nonce
        self.pcrs = pcrs
    }
}

/// Answer of `POST /v1/evidence`.
public struct EvidenceAnswer: Codable, Equatable, Sendable {
    /// The agent's statement (`Evidence.RuntimeStatement`), base64 of the exact bytes that the binding holds.
    public var statement: String
    /// The body of an EVIDENCE frame (docs/protocol.md, section 3), base64.
    public var evidence: String

    /// Wraps both.
    public init(statement: String, evidence: String) {
        self.statement = statement
        self.evidence = evidence
    }
}
