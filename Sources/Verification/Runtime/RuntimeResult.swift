public import Policy

/// An entry of the log that does not hold.
public struct RuntimeProblem: Sendable, Hashable {
    /// The check that it fails.
    public let check: String
    /// Its place in the log, from 0.
    public let index: Int
    /// The name in it; proven only where the entry's own hash holds.
    public let path: String
    /// The file's digest, as `sha256:` and hexadecimal digits; empty where the entry has none.
    public let digest: String
    /// What is wrong.
    public let detail: String
}

/// How many entries a rule of the policy let in.
public struct RuntimeAllowed: Sendable, Hashable {
    /// The rule.
    public let rule: RuntimeRules.Allowance
    /// The entries.
    public let count: Int
}

/// What a ``RuntimeVerifier`` found.
public struct RuntimeResult: Sendable {
    /// What was found before, and one finding for each check of this module.
    public let findings: [Finding]
    /// The first entries that do not hold, at most ``IMAVerifier/maximumProblems`` for each check.
    public let problems: [RuntimeProblem]
    /// How many entries the log has; nil without a log.
    public let entryCount: Int?
    /// How many of them the quote vouches for; nil where none of them leads to it.
    public let quotedCount: Int?
    /// The rules that let something in.
    public let allowed: [RuntimeAllowed]
    /// How many entries only the owner's further pairs have.
    public let furtherCount: Int
    /// Whether nothing but the VM's own word says that the quoting key is a TPM's: the snapshot names no key, and
    /// nobody certified it. Whoever is root in the VM could have made such a key, and any quote with it.
    public let isKeySelfMade: Bool
    /// Whether a processor vouches for the VM, a quote for the log, and no check was refused.
    ///
    /// Without a snapshot this says nothing of files: see ``isHeldToSnapshot``.
    public let isTrusted: Bool

    /// Whether every entry of the log was looked up in a snapshot, and found or let in.
    public var isHeldToSnapshot: Bool {
        findings.contains { $0.check == RuntimeCheck.snapshot.rawValue && $0.outcome == .ok }
    }
}
