public import Bytes
public import Evidence
public import OpenSSL
public import Policy

/// What an IMA log is held against.
public struct IMAExpectations: Sendable {
    /// What to make of the signatures of files.
    public enum Signatures: Sendable {
        /// Nothing.
        case ignored
        /// One that is there has to be by one of these keys; files without one are let through.
        case whenPresent([FileSigningKey])
        /// A file needs one by one of these keys, or else a digest that the policy has.
        case required([FileSigningKey])
    }

    /// The register that IMA extends.
    public var register = 10
    /// What a verified quote says that it holds, by bank; without a bank nothing is replayed, and the
    /// log proves nothing.
    public var quoted: [HashAlgorithm: [UInt8]]
    /// What the registers of the start hold, PCR 0 to 9; nil where they are not known.
    public var bootRegisters: RegisterValues?
    /// Whether banks other than SHA-1's may hold SHA-1 template hashes and zeros, as kernels before 5.8
    /// left them; such a bank is as strong as SHA-1.
    public var allowsPaddedSHA1 = false
    /// Whether a violation refuses the log, or is only told.
    public var forbidsViolations = false
    /// What to make of the signatures of files.
    public var signatures = Signatures.ignored
    /// What may be on the log; nil for anything.
    public var policy: IMARuntimePolicy?
    /// What may be on the log of a running VM, in the place of a policy.
    public var reference: RuntimeReference?

    /// Takes the values of the register; the rest may be set after.
    public init(quoted: [HashAlgorithm: [UInt8]]) {
        self.quoted = quoted
    }
}

/// One entry that does not hold.
public struct IMAProblem: Sendable, Hashable {
    /// The check that it fails.
    public let check: IMACheck
    /// Its place in the log, from 0.
    public let index: Int
    /// The name in it; proven only where the entry's own hash holds.
    public let path: String
    /// The file's digest, as `sha256:` and hexadecimal digits; empty where the entry has none.
    public let digest: String
    /// What is wrong.
    public let detail: String
}

/// What an ``IMAVerifier`` found.
public struct IMAResult: Sendable {
    /// One finding for each check.
    public let findings: [Finding]
    /// The first entries that do not hold, at most ``IMAVerifier/maximumProblems`` for each check.
    public let problems: [IMAProblem]
    /// How many entries the log has, as far as it could be read.
    public let entryCount: Int
    /// How many of them the quote vouches for; those behind are told here and judged with a later
    /// quote. Nil where no quote was given, or none of them leads to it.
    public let quotedCount: Int?

    /// Whether nothing was refused.
    public var isAccepted: Bool { !findings.contains { $0.outcome == .refused } }
}
