import ArgumentParser
import Bytes
import Evidence
import Policy
import Verification

/// `bootgate appraise snp`
struct AppraiseSNP: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "snp",
        abstract: "Verify an AMD SEV-SNP attestation report, and a TPM's quote beside it.",
        discussion: """
            Certificates come from single files in DER or PEM, else from the host's table, else from \
            an endorsements directory.

            Below an SVSM give its manifest: REPORT_DATA is then SHA-512 of --report-data and the \
            manifest, and the quote has to be signed by the manifest's key.

            Examples:
              bootgate appraise snp --report report.bin --certificates table.bin
              bootgate appraise snp --report report.bin --vcek vcek.der --ask ask.der --ark ark.der \
            --crl crl.der --report-data 00..ff --policy web.toml
              bootgate appraise snp --report report.bin --endorsements /var/lib/bootgate-broker/\
            endorsements
              bootgate appraise snp --report report.bin --certificates table.bin --tpm-quote quote.msg \
            --tpm-signature quote.sig --tpm-key ak.pub --pcrs pcrs.json --nonce 00ff \
            --event-log binary_bios_measurements
            """)

    @Option(
        help: ArgumentHelp("ATTESTATION_REPORT, 1184 bytes.", valueName: "file"),
        completion: .file())
    var report: String
    @OptionGroup var amd: AMDEndorsementOptions
    @OptionGroup var directory: EndorsementDirectoryOption
    @Option(help: ArgumentHelp("What REPORT_DATA has to be, 64 bytes.", valueName: "hex"))
    var reportData: String?
    @Option(
        help: ArgumentHelp("The manifest of an SVSM: TPMT_PUBLIC.", valueName: "file"),
        completion: .file())
    var svsmManifest: String?
    @OptionGroup var tpm: TPMBesideOptions
    @Option(
        help: ArgumentHelp("The log of the boot, held against the TPM's quote.", valueName: "file"),
        completion: .file())
    var eventLog: String?
    @OptionGroup var policy: AppraisalPolicyOption
    @OptionGroup var roots: RootOptions
    @OptionGroup var time: AppraisalTime
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard eventLog == nil || tpm.tpmQuote != nil else {
            throw ValidationError(
                "--event-log: give --tpm-quote too; nothing else vouches for a log")
        }
        guard svsmManifest == nil || reportData != nil else {
            throw ValidationError(
                "--svsm-manifest: give --report-data too, the nonce of the report")
        }
    }

    func execute() throws -> ExitStatus {
        let now = time.seconds
        let bytes = try Self.read(report, "--report")
        let endorsed = try amd.certificates(
            for: try? SNPReport(parsing: bytes), directory, at: now)
        let manifest = try svsmManifest.map { path throws(Failure) in
            try EvidenceFile.read(path, "--svsm-manifest", atMost: 64 << 10)
        }
        let nonce: FixedBytes<64>? = try EvidenceFile.fixed(reportData, "--report-data")
        let expected = manifest.flatMap { manifest in
            nonce.map { SVSMManifest.reportData(nonce: $0, manifest: manifest) }
        }
        let result = SNPVerifier(anchors: try roots.amd()).verify(
            reportBytes: bytes, certificates: endorsed.certificates, expected: expected ?? nonce,
            bindingIsOptional: nonce == nil, at: now)
        var trust: KeyTrustEvidence?
        if let manifest, let snp = result.claims?.snp {
            trust = .svsmManifest(SVSMManifest(bytes: manifest, reportVMPL: snp.vmpl))
        }
        let quoted = try tpm.verify(trust: trust, roots, at: now)
        let log = try BootLogFile(eventLog, against: quoted.result?.claims)
        let claims = Claims(snp: result, tpm: quoted.result, log: log.result)
        let judged = try policy.judge(claims, at: now)
        return AppraisalReport(
            kind: "snp", title: "AMD SEV-SNP report", time: now, claims: .hardware(claims),
            findings: endorsed.findings + result.findings + quoted.findings + log.findings
                + judged.findings,
            holds: claims != nil && quoted.holds && log.holds && judged.holds
        ).print(asJSON: global.json)
    }

    /// An ATTESTATION_REPORT: VERSION is a small number, little-endian, and never zero.
    static func read(_ path: String, _ option: String) throws(Failure) -> [UInt8] {
        try EvidenceFile.evidence(path, option, atMost: 64 << 10, "an SNP attestation report") {
            $0.count >= 4 && $0[0] != 0 && $0[1...3].allSatisfy { $0 == 0 }
        }
    }
}
