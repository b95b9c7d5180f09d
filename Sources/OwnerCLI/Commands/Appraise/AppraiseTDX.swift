import ArgumentParser
import Bytes
import Evidence
import Policy
import Verification

/// `bootgate appraise tdx`
struct AppraiseTDX: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "tdx",
        abstract: "Verify an Intel TDX quote, the log of its boot, and a TPM's quote beside it.",
        discussion: """
            Intel's documents come as one JSON file or from an endorsements directory. Without them \
            the signatures are checked and the platform's status is not.

            Examples:
              bootgate appraise tdx --quote quote.bin --collateral collateral.json
              bootgate appraise tdx --quote quote.bin --endorsements /var/lib/bootgate-broker/\
            endorsements --event-log ccel.bin --report-data 00..ff --policy td.toml
            """)

    @Option(
        help: ArgumentHelp("A quote of version 4 or 5.", valueName: "file"), completion: .file())
    var quote: String
    @OptionGroup var intel: IntelEndorsementOptions
    @OptionGroup var directory: EndorsementDirectoryOption
    @Option(help: ArgumentHelp("What REPORTDATA has to be, 64 bytes.", valueName: "hex"))
    var reportData: String?
    @Option(help: ArgumentHelp("The event log (CCEL).", valueName: "file"), completion: .file())
    var eventLog: String?
    @OptionGroup var tpm: TPMBesideOptions
    @OptionGroup var policy: AppraisalPolicyOption
    @OptionGroup var roots: RootOptions
    @OptionGroup var time: AppraisalTime
    @OptionGroup var global: GlobalOptions

    func execute() throws -> ExitStatus {
        let now = time.seconds
        let bytes = try Self.read(quote, "--quote")
        let verifier = TDXVerifier(anchors: try roots.intel())
        let endorsed = try intel.collateral(for: bytes, verifier, directory, at: now)
        let result = verifier.verify(
            quoteBytes: bytes, collateral: endorsed.collateral,
            expected: try EvidenceFile.fixed(reportData, "--report-data"),
            bindingIsOptional: reportData == nil, at: now)
        let quoted = try tpm.verify(trust: nil, roots, at: now)
        let log = try BootLogFile(eventLog, against: result.claims)
        let claims = Claims(tdx: result, tpm: quoted.result, log: log.result)
        let judged = try policy.judge(claims, at: now)
        return AppraisalReport(
            kind: "tdx", title: "Intel TDX quote", time: now, claims: .hardware(claims),
            findings: endorsed.findings + result.findings + quoted.findings + log.findings
                + judged.findings,
            holds: claims != nil && quoted.holds && log.holds && judged.holds
        ).print(asJSON: global.json)
    }

    /// Quotes begin with VERSION, a small number, little-endian, and so do TDREPORTs with their type; which
    /// of them it is, is a verifier's matter.
    static func read(_ path: String, _ option: String) throws(Failure) -> [UInt8] {
        try EvidenceFile.evidence(path, option, atMost: 1 << 20, "a TDX quote") {
            $0.count >= 48 && $0[0] != 0 && $0[1] == 0 && $0[3] == 0
        }
    }
}
