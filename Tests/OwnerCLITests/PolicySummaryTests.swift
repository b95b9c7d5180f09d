import Testing

@testable import OwnerCLI

private let digest = String(repeating: "a1", count: 48)

@Test("a policy's summary names what is demanded of a TD, a TPM and the log")
func policySummary() throws {
    let register = String(repeating: "04", count: 32)
    let policy = try PolicyFile(
        text: """
            name = "td"
            anchor = "mrconfigid"
            [[measurement]]
            label = "image"
            mrtd = "\(digest)"
            rtmr1 = "\(digest)"
            rtmr2 = "\(digest)"
            covers = ["firmware", "kernel", "initramfs", "command line"]
            [tdx]
            xfam = "0x2e7"
            modules = ["\(digest)"]
            [tdx.tcb_status]
            UpToDate = "always"
            OutOfDate = "2026-12-31T23:59:59Z"
            [tdx.attributes]
            sept_ve_disable = true
            [tpm]
            key_trust = ["tee-report"]
            [[tpm.pcrs]]
            label = "2026-11"
            bank = "sha256"
            covers = ["kernel"]
            [tpm.pcrs.values]
            4 = "\(register)"
            [boot]
            secure_boot = true
            command_lines = []
            [endorsements]
            maximum_age_days = 30
            [runtime]
            stale_after = "15m"
            [[runtime.allow]]
            path = "/opt/**"
            """, source: "td.toml")
    #expect(
        policy.summary == [
            "  class          at least cpu", "  anchor         mrconfigid",
            "  measurements   \"image\"",
            "  TCB status     UpToDate, OutOfDate until 2026-12-31T23:59:59Z",
            "  TD attributes  sept_ve_disable on", "  XFAM           0x2e7",
            "  TDX modules    one of 1", "  TPM            a quote, its key trusted by tee-report",
            "  PCRs           \"2026-11\" (sha256 4)",
            "  event log      has to lead to the quoted registers, in full",
            "  Secure Boot    on", "  command line   the image's own",
            "  endorsements   revocation list at most 30 days old",
            "  runtime        stale after 900 s; violations fail",
            "  after failure  no key until `bootgate vm resume`", "  allowed        path /opt/**",
        ])
}

@Test("a policy for SNP alone says nothing of the rest")
func shortSummary() throws {
    let policy = try PolicyFile(
        text: """
            name = "web"
            [[measurement]]
            label = "image"
            sha384 = "\(digest)"
            covers = ["firmware", "kernel", "initramfs", "command line"]
            """, source: "web.toml")
    #expect(
        policy.summary == [
            "  class          at least cpu", "  anchor         host-data",
            "  measurements   \"image\"",
        ])
}
