import ArgumentParser
import Bytes
import Evidence
import Policy
import Verification

/// `bootgate appraise azure`
struct AppraiseAzure: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "azure",
        abstract: "Verify what a VM behind Azure's paravisor sends, without asking any cloud.",
        discussion: """
            The paravisor's report is NV index 0x01400001; it names the key of the vTPM's quote. On \
            SNP the processor's certificates go with it, on TDX the quote that the host's service \
            made of the stored TDREPORT. --nonce is the quote's extraData, whole.

            Examples:
              bootgate appraise azure --hcl-report hcl.bin --tpm-quote quote.msg \
            --tpm-signature quote.sig --pcrs pcrs.json --nonce 00ff --vcek vcek.der --ask ask.der \
            --ark ark.der
              bootgate appraise azure --hcl-report hcl.bin --tpm-quote quote.msg \
            --tpm-signature quote.sig --pcrs pcrs.json --td-quote quote.bin \
            --collateral collateral.json --policy cloud.toml
            """)

    @Option(
        help: ArgumentHelp("The contents of NV index 0x01400001.", valueName: "file"),
        completion: .file())
    var hclReport: String
    @Option(
        help: ArgumentHelp("The vTPM's quote: TPMS_ATTEST.", valueName: "file"),
        completion: .file())
    var tpmQuote: String
    @Option(
        help: ArgumentHelp(
            "Its signature: TPMT_SIGNATURE, or the bare number of RSASSA with SHA-256.",
            valueName: "file"), completion: .file())
    var tpmSignature: String
    @OptionGroup var values: PCRValueOptions
    @Option(
        help: ArgumentHelp(
            "What user-data of the runtime data has to be, 64 bytes.", valueName: "hex"))
    var userData: String?
    @OptionGroup var amd: AMDEndorsementOptions
    @Option(
        help: ArgumentHelp("The quote made of the stored TDREPORT.", valueName: "file"),
        completion: .file())
    var tdQuote: String?
    @OptionGroup var intel: IntelEndorsementOptions
    @OptionGroup var directory: EndorsementDirectoryOption
    @Option(
        help: ArgumentHelp("The log of the boot, held against the quote.", valueName: "file"),
        completion: .file())
    var eventLog: String?
    @OptionGroup var policy: AppraisalPolicyOption
    @OptionGroup var roots: RootOptions
    @OptionGroup var time: AppraisalTime
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard tdQuote == nil || amd.isEmpty else {
            throw ValidationError("--td-quote: AMD's certificates are for another processor")
        }
    }

    func execute() throws -> ExitStatus {
        let now = time.seconds
        let hcl = try EvidenceFile.evidence(
            hclReport, "--hcl-report", atMost: 64 << 10, "a report of Azure's paravisor"
        ) { $0.starts(with: "HCLA".utf8) }
        let expected = AzureExpectation(
            quote: try values.expectation(),
            userData: try EvidenceFile.fixed(userData, "--user-data"))
        let quote = TPMQuoteVerifier.Quote(
            attestation: try TPMQuoteFile.read(tpmQuote, "--tpm-quote"),
            signature: try TPMQuoteFile.signature(tpmSignature, "--tpm-signature"),
            values: try values.read())
        let tdx = TDXVerifier(anchors: tdQuote == nil ? [] : try roots.intel())
        let snp = SNPVerifier(anchors: tdQuote == nil ? try roots.amd() : [])
        let (endorsement, missing) = try endorsement(of: hcl, tdx, at: now)
        let result = AzureVerifier(snp: snp, tdx: tdx).verify(
            AzureEvidence(hclReport: hcl, quote: quote, endorsement: endorsement),
            expected: expected, at: now)
        let log = try BootLogFile(eventLog, against: result.claims?.tpm)
        let claims = Claims(azure: result, log: log.result)
        let judged = try policy.judge(claims, at: now)
        return AppraisalReport(
            kind: "azure", title: "Azure paravisor's report and vTPM quote", time: now,
            claims: .hardware(claims),
            findings: missing + result.findings + log.findings + judged.findings,
            holds: claims != nil && log.holds && judged.holds
        ).print(asJSON: global.json)
    }

    private func endorsement(
        of hcl: [UInt8], _ verifier: TDXVerifier, at now: Int64
    ) throws(Failure) -> (AzureEvidence.Endorsement, [Finding]) {
        if let tdQuote {
            let bytes = try AppraiseTDX.read(tdQuote, "--td-quote")
            let endorsed = try intel.collateral(for: bytes, verifier, directory, at: now)
            return (.tdx(quote: bytes, collateral: endorsed.collateral), endorsed.findings)
        }
        var report: SNPReport?
        if case .snp(let bytes)? = (try? HCLReport(parsing: hcl))?.hardware {
            report = try? SNPReport(parsing: bytes)
        }
        let endorsed = try amd.certificates(for: report, directory, at: now)
        return (.snp(endorsed.certificates), endorsed.findings)
    }
}
