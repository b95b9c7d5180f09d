/// Answer of `GET /v1/about`: what the agent is and what it can give. Proves nothing.
public struct AgentStatus: Codable, Equatable, Sendable {
    /// Such as `bootgate-agent 0.1.0`.
    public var version: String
    /// The VM's id, where it was booted by the gate.
    public var vm: String?
    /// Kind of TEE evidence, such as `snp`; nil where there is none, with the reason in ``problems``.
    public var evidence: String?
    /// Whether PCR 10 can be quoted.
    public var hasTPM: Bool
    /// Whether the kernel has an IMA log.
    public var hasIMALog: Bool
    /// How many clients may change something: 0 means that nobody can.
    public var logins: Int
    /// What does not work, in words.
    public var problems: [String]

    /// Puts a status together.
    public init(
        version: String, vm: String? = nil, evidence: String? = nil, hasTPM: Bool, hasIMALog: Bool,
        logins: Int, problems: [String] = []
    ) {
        self.version = version
        self.vm = vm
        self.evidence = evidence
        self.hasTPM = hasTPM
        self.hasIMALog = hasIMALog
        self.logins = logins
        self.problems = problems
    }
}

/// Every answer with a status of 400 and above.
public struct AgentFault: Codable, Equatable, Sendable, Error {
    /// One word: `malformed`, `login`, `busy`, `limit`, `absent`, `unavailable`, `tooLarge`, `internal`.
    public var code: String
    /// What is wrong and what to do, one line.
    public var message: String
    /// What the journal of the VM has beside that line.
    public var reference: String?

    /// Puts a fault together.
    public init(code: String, message: String, reference: String? = nil) {
        self.code = code
        self.message = message
        self.reference = reference
    }
}
