public import Bytes
public import Evidence
public import Policy

/// One report of a running VM, after its evidence was authenticated.
public struct RuntimeReport: Sendable {
    /// What the VM says of itself; the evidence has to be over its bytes.
    public var statement: RuntimeStatement
    /// What was found when the evidence was authenticated, and of a policy where one was asked
    /// (``AppraisalPolicy/evaluateRuntime(_:in:at:)``).
    public var findings: [Finding]
    /// What the evidence says; nil unless it is authentic, fresh and over the statement.
    public var claims: Claims?
    /// TPM name of the key that quoted, which the evidence was found to be by; empty without a quote.
    public var attestationKeyName: [UInt8]
    /// SHA-256 of the DER of the leaf certificate that the VM's end of the connection proved; nil where it was
    /// the verifier's end that had one.
    public var servedCertificate: FixedBytes<32>?

    /// Puts a report together.
    public init(
        statement: RuntimeStatement, findings: [Finding], claims: Claims?,
        attestationKeyName: [UInt8], servedCertificate: FixedBytes<32>?
    ) {
        self.statement = statement
        self.findings = findings
        self.claims = claims
        self.attestationKeyName = attestationKeyName
        self.servedCertificate = servedCertificate
    }

    /// The boot that the evidence is of, as far as it tells.
    public var boot: RuntimeBoot {
        RuntimeBoot(
            reportID: claims?.snp?.reportID, resetCount: claims?.tpm?.resetCount,
            restartCount: claims?.tpm?.restartCount)
    }

    /// What a genuine quote says of PCR 10; collisions of SHA-1 are made at will, so its bank does not count.
    var measurements: [HashAlgorithm: [UInt8]] {
        guard let pcrs = claims?.tpm?.pcrs else { return [:] }
        return pcrs.banks.compactMapValues { $0[10] }.filter { $0.key != .sha1 }
    }

    /// What the quote says of the registers of the start, PCR 0 to 9.
    var startRegisters: RegisterValues {
        var values = RegisterValues()
        for (bank, registers) in claims?.tpm?.pcrs.banks ?? [:] where bank != .sha1 {
            for (index, value) in registers where index < 10 { values[bank, Int(index)] = value }
        }
        return values
    }
}

/// What tells one boot from the next; nil for what is not known.
public struct RuntimeBoot: Sendable, Hashable {
    /// REPORT_ID of SNP: random for each launch.
    public var reportID: FixedBytes<32>?
    /// The TPM's resets, which a boot adds one to.
    public var resetCount: UInt32?
    /// The TPM's restarts and resumptions since the reset.
    public var restartCount: UInt32?

    /// Takes what is known.
    public init(reportID: FixedBytes<32>?, resetCount: UInt32?, restartCount: UInt32?) {
        self.reportID = reportID
        self.resetCount = resetCount
        self.restartCount = restartCount
    }

    /// The boot that a snapshot was made in.
    public init(of snapshot: SnapshotHeader) {
        var reportID: FixedBytes<32>?
        if case .snp(let policy) = snapshot.teePolicy { reportID = policy.reportID }
        self.init(
            reportID: reportID, resetCount: snapshot.tpmPolicy?.resetCount,
            restartCount: snapshot.tpmPolicy?.restartCount)
    }

    /// What is known, in words; nil where that is nothing.
    var text: String? {
        let parts = [
            reportID.map { "REPORT_ID \($0.hex)" }, resetCount.map { "reset \($0)" },
            restartCount.map { "restart \($0)" },
        ].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// Whether this is the boot that `expected` describes: all that is known of that has to be equal, so what
    /// is not known here does not do.
    func matches(_ expected: Self) -> Bool {
        (expected.reportID == nil || expected.reportID == reportID)
            && (expected.resetCount == nil || expected.resetCount == resetCount)
            && (expected.restartCount == nil || expected.restartCount == restartCount)
    }
}
