import ArgumentParser
import Bytes
import Evidence
import Policy
import Verification

/// `bootgate appraise tpm-quote`
struct AppraiseTPMQuote: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "tpm-quote",
        abstract: "Verify a TPM 2.0 quote, its registers, and the log of the boot.",
        discussion: """
            The key is a TPMT_PUBLIC, a TPM2B_PUBLIC, a public key in PEM or DER, or a certificate; \
            with --issuer its certificate's chain is checked up to a pinned root. Of a policy the \
            rules about TPMs and logs are checked.

            Examples:
              bootgate appraise tpm-quote --quote quote.msg --signature quote.sig --key ak.pub \
            --pcrs pcrs.json --nonce 00ff
              bootgate appraise tpm-quote --quote quote.msg --signature quote.sig --key ak.der \
            --issuer intermediate.pem --issuer root.pem --event-log binary_bios_measurements
            """)

    @Option(help: ArgumentHelp("TPMS_ATTEST.", valueName: "file"), completion: .file())
    var quote: String
    @Option(
        help: ArgumentHelp("TPMT_SIGNATURE, or a bare RSASSA number.", valueName: "file"),
        completion: .file())
    var signature: String
    @Option(
        help: ArgumentHelp("The public half of the key.", valueName: "file"), completion: .file())
    var key: String
    @Option(
        help: ArgumentHelp(
            "Certificates above the key's own, the nearest first.", valueName: "file"),
        completion: .file())
    var issuer: [String] = []
    @OptionGroup var values: PCRValueOptions
    @Option(help: ArgumentHelp("The TPM's event log.", valueName: "file"), completion: .file())
    var eventLog: String?
    @Flag(name: .customLong("forbid-sha1"), help: "Refuse a quote that rests on SHA-1 anywhere.")
    var forbidsSHA1 = false
    @OptionGroup var policy: AppraisalPolicyOption
    @OptionGroup var roots: RootOptions
    @OptionGroup var time: AppraisalTime
    @OptionGroup var global: GlobalOptions

    func execute() throws -> ExitStatus {
        let now = time.seconds
        let subject = try TPMKeyFile(key, "--key")
        let result = TPMQuoteVerifier(anchors: try roots.attestationKeys()).verify(
            TPMQuoteVerifier.Quote(
                attestation: try TPMQuoteFile.read(quote, "--quote"),
                signature: try TPMQuoteFile.signature(signature, "--signature"),
                values: try values.read()),
            key: subject.key, trust: try subject.trust(issuers: issuer, "--issuer", key: "--key"),
            expected: try values.expectation(), at: now)
        let log = try BootLogFile(eventLog, against: result.claims)
        let judged = try policy.judge(tpm: result.claims, boot: log.result?.facts)
        return AppraisalReport(
            kind: "tpm-quote", title: "TPM quote", time: now,
            claims: .tpm(result.claims, boot: log.result?.facts),
            findings: result.findings + weakness(result) + log.findings + judged.findings,
            holds: result.claims != nil && log.holds && judged.holds
        ).print(asJSON: global.json)
    }

    private func weakness(_ result: TPMResult) -> [Finding] {
        guard forbidsSHA1 else { return [] }
        let weak = result.weakAlgorithms
        return [
            Finding(
                check: "no SHA-1", outcome: weak.isEmpty ? .ok : .refused, expected: "no SHA-1",
                actual: weak.isEmpty ? "none" : weak.joined(separator: ", "))
        ]
    }
}
