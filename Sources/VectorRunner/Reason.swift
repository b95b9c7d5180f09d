import Policy

/// One word for what a refused check means.
enum Reason {
    /// The word for `finding`; `isOver` where something's last day has passed.
    static func word(for finding: Finding, isOver: Bool) -> String {
        switch finding.check {
        case "certificate dates", "TPM key dates": isOver ? "cert-expired" : "cert-not-yet-valid"
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
        "event log format": "malformed",
        "event log": "eventlog-replay-mismatch",
        "event log separators": "eventlog-duplicate-separator",
        "event log coverage": "eventlog-replay-mismatch",
    ]
}
