public import Bytes
public import Protocol

/// What every connection of one launch, or of one report, says in its HELLO.
public struct Introduction: Equatable, Sendable {
    /// The VM's id.
    public let vm: VMIdentifier
    /// The key asked for.
    public let keyName: KeyName
    /// SHA-256 of `gate.conf`.
    public let configDigest: FixedBytes<32>
    /// For a launch the digest of the disk's header; for a report SHA-256 of the statement.
    public let headerDigest: FixedBytes<32>
    /// The kind of evidence that this platform has.
    public let evidenceKind: EvidenceKind

    /// All fields, in the order of the wire.
    public init(
        vm: VMIdentifier, keyName: KeyName, configDigest: FixedBytes<32>,
        headerDigest: FixedBytes<32>, evidenceKind: EvidenceKind
    ) {
        self.vm = vm
        self.keyName = keyName
        self.configDigest = configDigest
        self.headerDigest = headerDigest
        self.evidenceKind = evidenceKind
    }
    func hello(launchingWith publicKey: FixedBytes<32>) -> Hello {
        Hello(
            purpose: .launch, vm: vm, keyName: keyName, configDigest: configDigest,
            headerDigest: headerDigest, evidenceKinds: [evidenceKind], hpkePublicKey: publicKey)
    }

    var report: Hello {
        .report(
            vm: vm, keyName: keyName, configDigest: configDigest, statementDigest: headerDigest,
            evidenceKinds: [evidenceKind])
    }
}
