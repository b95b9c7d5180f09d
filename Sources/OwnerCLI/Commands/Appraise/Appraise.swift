import ArgumentParser

/// `bootgate appraise`
struct Appraise: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "appraise",
        abstract: "Verify evidence that lies in files; needs no broker and no network.",
        discussion: """
            Evidence, endorsements and a policy are files; the clock is this machine's or --at. Every \
            check is shown with its outcome, and what could not be checked is said to be so.

            Examples:
              bootgate appraise snp --report report.bin --certificates table.bin
              bootgate appraise tdx --quote quote.bin --collateral collateral.json --policy td.toml
              bootgate appraise azure --hcl-report hcl.bin --tpm-quote quote.msg \
            --tpm-signature quote.sig --vcek vcek.der --ask ask.der --ark ark.der
              bootgate appraise tpm-quote --quote quote.msg --signature quote.sig --key ak.pem \
            --nonce 00ff
              bootgate appraise ima --log ascii_runtime_measurements --pcr10 sha256:1f..2e
              bootgate appraise eventlog --log binary_bios_measurements --registers pcrs.json

            Exit codes: 0 accepted; 1 refused; 2 input that cannot be used.
            """,
        subcommands: [
            AppraiseSNP.self, AppraiseTDX.self, AppraiseAzure.self, AppraiseTPMQuote.self,
            AppraiseIMA.self, AppraiseEventLog.self,
        ])
}
