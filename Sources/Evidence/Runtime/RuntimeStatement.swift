public import Bytes

/// What a running VM says of itself under a report of its hardware; docs/runtime.md, "The statement".
///
/// The evidence is over the statement's exact bytes, so it is believed as far as the software is that the
/// evidence measures: only that could have asked the hardware for a report over it.
public struct RuntimeStatement: Equatable, Sendable {
    /// The longest statement, in bytes.
    public static let maximumByteCount = 16 * 1024
    /// The value of the member `format`.
    public static let format = "bootgate statement 1"

    /// An SSH host key by its fingerprint.
    public struct SSHHostKey: Equatable, Hashable, Sendable {
        /// Such as `ssh-ed25519`.
        public var kind: String
        /// SHA-256 of the key's blob, which `ssh-keygen -l` shows as `SHA256:` and base64.
        public var digest: FixedBytes<32>

        /// Takes both.
        public init(kind: String, digest: FixedBytes<32>) {
            self.kind = kind
            self.digest = digest
        }
    }

    /// The VM's id, where it was booted by the gate.
    public var vm: String?
    /// Its host name.
    public var hostName: String
    /// SHA-256 of the DER of the TLS leaf certificate that the agent serves.
    public var certificate: FixedBytes<32>
    /// The TPM name of the key that quotes; empty where there is no TPM.
    public var attestationKeyName: [UInt8]
    /// The SSH host keys below /etc/ssh.
    public var sshHostKeys: [SSHHostKey]
    /// The kernel's boot id: another one for each boot, and worth no more than the kernel is.
    public var bootID: String
    /// SHA-256 of the snapshot that the agent holds; nil without one.
    public var snapshot: FixedBytes<32>?

    /// Puts a statement together.
    public init(
        vm: String?, hostName: String, certificate: FixedBytes<32>, attestationKeyName: [UInt8],
        sshHostKeys: [SSHHostKey], bootID: String, snapshot: FixedBytes<32>?
    ) {
        self.vm = vm
        self.hostName = hostName
        self.certificate = certificate
        self.attestationKeyName = attestationKeyName
        self.sshHostKeys = sshHostKeys
        self.bootID = bootID
        self.snapshot = snapshot
    }
}
