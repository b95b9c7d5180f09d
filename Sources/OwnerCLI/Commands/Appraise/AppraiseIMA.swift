import ArgumentParser
import Bytes
import Evidence
import Linux
import OpenSSL
import Policy
import Verification

/// `bootgate appraise ima`
struct AppraiseIMA: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "ima",
        abstract: "Verify an IMA log against PCR 10, a runtime policy and keys of file signers.",
        discussion: """
            The log is ascii_runtime_measurements or binary_runtime_measurements. Give values of PCR \
            10 that a verified quote vouches for: a log says nothing by itself. Runtime policies are \
            Keylime's, in JSON, in a DSSE envelope (with --policy-key), or lines of digest and name.

            Examples:
              bootgate appraise ima --log ascii_runtime_measurements --pcr10 sha256:1f..2e
              bootgate appraise ima --log binary_runtime_measurements --pcr10 sha1:9a..0b \
            --pcr10 sha256:1f..2e --runtime-policy policy.json --policy-key owner.pem \
            --forbid-violations
              bootgate appraise ima --log ascii_runtime_measurements --pcr10 sha256:1f..2e \
            --key vendor.der --signatures required
            """)

    /// What is asked of the signatures of files.
    enum Signatures: String, CaseIterable, ExpressibleByArgument {
        /// Every file has one by a key that was given, or is in the policy.
        case required
        /// One that is there is by a key that was given.
        case whenPresent = "when-present"
    }

    @Option(help: ArgumentHelp("The log.", valueName: "file"), completion: .file())
    var log: String
    @Option(
        help: ArgumentHelp(
            "What PCR 10 holds, by bank; for each bank that was quoted.", valueName: "bank:hex"))
    var pcr10: [String] = []
    @Option(
        help: ArgumentHelp(
            "Values of PCR 0 to 9, which the entry boot_aggregate stands for.", valueName: "file"),
        completion: .file())
    var pcrs: String?
    @Option(
        help: ArgumentHelp("What may be on the log.", valueName: "file"), completion: .file())
    var runtimePolicy: String?
    @Option(
        help: ArgumentHelp("A key that signs runtime policies.", valueName: "file"),
        completion: .file())
    var policyKey: [String] = []
    @Option(
        help: ArgumentHelp("A key or certificate that signs files.", valueName: "file"),
        completion: .file())
    var key: [String] = []
    @Option(
        help: "What --key is for: \(Signatures.allCases.map(\.rawValue).joined(separator: " or "))."
    )
    var signatures = Signatures.whenPresent
    @Flag(help: "Refuse a log with violations.")
    var forbidViolations = false
    @Flag(
        name: .customLong("padded-sha1"),
        help: "Let other banks hold SHA-1 and zeros, as kernels before 5.8 do.")
    var paddedSHA1 = false
    @OptionGroup var time: AppraisalTime
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard !pcr10.isEmpty else {
            throw ValidationError(
                "--pcr10: give it at least once; only a quoted register vouches for a log")
        }
        guard !key.isEmpty || signatures != .required || runtimePolicy != nil else {
            throw ValidationError("--signatures required: give a --key")
        }
        guard policyKey.isEmpty || runtimePolicy != nil else {
            throw ValidationError("--policy-key: give the --runtime-policy that it signed")
        }
    }

    func execute() throws -> ExitStatus {
        var expectations = IMAExpectations(quoted: try quoted())
        expectations.bootRegisters = try pcrs.map { path throws(Failure) in
            RegisterValues(try PCRValueOptions.values(path, "--pcrs"))
        }
        expectations.allowsPaddedSHA1 = paddedSHA1
        expectations.forbidsViolations = forbidViolations
        let (policy, signed) = try RuntimePolicyFile.read(runtimePolicy, keys: policyKey)
        expectations.policy = policy
        let keys = try fileKeys(policy)
        if !keys.isEmpty || signatures == .required {
            expectations.signatures =
                signatures == .required ? .required(keys) : .whenPresent(keys)
        }
        let result = try IMALogFile.verify(log, expectations)
        return AppraisalReport(
            kind: "ima", title: "IMA log", time: time.seconds, claims: .measurements(result),
            findings: signed + result.findings, problems: result.problems,
            holds: result.quotedCount != nil && result.isAccepted
        ).print(asJSON: global.json)
    }

    private func quoted() throws(Failure) -> [HashAlgorithm: [UInt8]] {
        var quoted: [HashAlgorithm: [UInt8]] = [:]
        for text in pcr10 {
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let bank = HashAlgorithm(rawValue: parts[0]),
                let value = Hex.decode(parts[1]), value.count == bank.size, quoted[bank] == nil
            else {
                throw Failure(
                    .unusableInput,
                    "--pcr10: expected BANK:HEX once for each bank, such as sha256: and 64 digits")
            }
            quoted[bank] = value
        }
        return quoted
    }

    /// The keys that were given, and those that the policy brings.
    private func fileKeys(_ policy: IMARuntimePolicy?) throws(Failure) -> [FileSigningKey] {
        var keys: [FileSigningKey] = []
        for path in key {
            let bytes = try EvidenceFile.read(path, "--key", atMost: 64 << 10)
            keys.append(try Self.key(bytes, "--key: \(path.shown)"))
        }
        for bytes in policy?.verificationKeys ?? [] {
            keys.append(try Self.key(bytes, "--runtime-policy: verification-keys"))
        }
        return keys
    }

    private static func key(_ bytes: [UInt8], _ name: String) throws(Failure) -> FileSigningKey {
        do throws(CryptoError) {
            return try FileSigningKey(parsing: bytes)
        } catch {
            throw Failure(.unusableInput, "\(name): \("\(error)".shown)")
        }
    }
}
