public import Bytes
public import Protocol
public import TPM

/// A platform that can say, signed by its hardware, what runs here.
public protocol EvidenceProvider: Sendable {
    /// What kind of evidence it makes.
    var kind: EvidenceKind { get }

    /// Blocks until the hardware has signed the binding.
    ///
    /// - Parameter binding: what has to be signed, once the TPM name of the attestation key is known; the
    ///   name is empty where no TPM key is part of the evidence. It is asked for once.
    func evidence(
        over binding: (_ attestationKeyName: [UInt8]) -> FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage

    /// What the hardware says the configuration is, from a report made for this process just now.
    func configAnchor() throws(AttesterError) -> HardwareAnchor

    /// Throws why ``endEvidence()`` could not do its work, without doing it.
    func checkEnding() throws(AttesterError)

    /// Makes the evidence of this boot worthless for another launch (docs/protocol.md, section 10).
    ///
    /// Whoever hands the machine over must not do so if this throws.
    func endEvidence() throws(AttesterError)

    /// TPM name of the key that ``evidence(over:)`` would quote by; empty where no TPM is asked.
    func attestationKeyName() throws(AttesterError) -> [UInt8]

    /// The same platform with a quote of the TPM at `device` by `plan` beside its own evidence.
    func quoting(
        _ device: TPM.Device, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> any EvidenceProvider
}

extension EvidenceProvider {
    /// No TPM is asked.
    public func attestationKeyName() throws(AttesterError) -> [UInt8] { [] }
}

/// The field of a report that whoever launched the VM had to fill with the configuration's digest.
public enum HardwareAnchor: Equatable, Sendable {
    /// SNP's HOST_DATA.
    case hostData(FixedBytes<32>)
    /// TDX's MRCONFIGID.
    case mrConfigID(FixedBytes<48>)
    /// The platform lets nobody fill such a field: only a measured image can hold the configuration.
    case nothing
}

/// What a register is extended with when the gate hands the machine over: the bank's hash of it.
public enum EndMarker {
    /// "bootgate end".
    public static let text = Array("bootgate end".utf8)
}
