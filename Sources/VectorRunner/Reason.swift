import Policy

/// One word for what a refused check means.
enum Reason {
    /// The word for `finding`; `isOver` where something's last day has passed.
    static func word(for finding: Finding, isOver: Bool) -> String {
        switch finding.check {
        case "certificate dates", "TPM key dates":
            isOver || finding.actual.contains("expired") ? "cert-expired" : "cert-not-yet-valid"
        case "collateral dates":
            finding.actual.contains("expired")
                ? "collateral-expired" : "collateral-not-yet-valid"
        default: words[finding.check] ?? finding.check
        }
    }

    private static let words: [String: String] = [
        "report": "malformed",
        "signature": "bad-signature",
        "chain": "chain-broken",
        "root": "untrusted-root",
        "binding": "report-data-mismatch",
        "endorsed chip": "chip-id-mismatch",
        "endorsed TCB": "chain-broken",
        "measurement": "measurement-mismatch",
        "minimum TCB": "tcb-below-minimum",
        "debug": "debug-enabled",
        "VMPL": "vmpl-mismatch",
        "signing key": "wrong-signer-type",
        "revocation": "cert-revoked",
        "revocation list": "collateral-expired",
        "TPM quote": "malformed",
        "TPM signature": "bad-signature",
        "TPM nonce": "nonce-mismatch",
        "PCR digest": "pcr-digest-mismatch",
        "TPM algorithms": "weak-algorithm",
        "TPM key chain": "chain-broken",
        "TPM key root": "untrusted-root",
        "TEE type": "wrong-tee-type",
        "TDX quote": "malformed",
        "quote signature": "bad-signature",
        "attestation key": "attestation-key-not-bound",
        "QE report": "qe-report-signature-bad",
        "PCK chain": "chain-broken",
        "Intel root": "untrusted-root",
        "TCB info": "bad-signature",
        "QE identity": "bad-signature",
        "revocation lists": "bad-signature",
        "endorsed platform": "tcb-not-supported",
        "quoting enclave": "tcb-not-supported",
        "module identity": "tcb-not-supported",
        "TCB level": "tcb-not-supported",
        "TCB status": "tcb-out-of-date",
        "HCL report": "malformed",
        "HCL binding": "hcl-binding-mismatch",
        "TD report": "hcl-binding-mismatch",
        "IMA log format": "malformed",
        "IMA template hashes": "ima-template-hash-mismatch",
        "IMA replay": "ima-pcr-mismatch",
        "IMA violations": "ima-violation",
        "IMA signatures": "ima-signature-bad",
        "IMA policy": "ima-not-in-policy",
        "policy signature": "bad-signature",
        "event log format": "malformed",
        "event log": "eventlog-replay-mismatch",
        "event log separators": "eventlog-duplicate-separator",
        "event log coverage": "eventlog-replay-mismatch",
    ]
}
