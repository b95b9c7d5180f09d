/// The checks that a ``RuntimeVerifier`` makes beside those of evidence and log; each leaves one finding.
///
/// The names are stable. docs/runtime.md, "What is checked", explains each.
public enum RuntimeCheck: String, Sendable, Hashable, CaseIterable {
    /// The statement names the certificate that this connection was served by.
    case certificate = "TLS certificate"
    /// The processor says what it said when the snapshot was made, and the host cannot debug the VM.
    case teePolicy = "TEE policy"
    /// The quoting key is the snapshot's.
    case key = "same TPM key"
    /// Every entry of the log is one that the snapshot has, or that a rule lets in.
    case snapshot
    /// It is the boot that is expected.
    case reboot
}

extension RuntimeCheck: VerifierCheck {}
