import Bytes
import Evidence

extension Appraisal {
    /// The reference value that the hardware's measurement has; nil where it has none.
    var reference: ReferenceMeasurement? {
        rules.measurements.first { $0.registers.matches(claims.hardware) }
    }

    func measurement() -> Finding {
        let known = rules.measurements.filter { $0.registers.isFor(claims.hardware) }
            .map { "\"\($0.label)\" \($0.registers)" }
        return Finding(
            .measurement, holds: reference != nil,
            expected: known.isEmpty
                ? "a reference value; the policy has none" : known.joined(separator: " or "),
            actual: claims.hardware.measured,
            note: reference.map { "\"\($0.label)\" covers \(PolicyRules.list($0.covers))" })
    }

    /// The class of what vouches for the whole boot: where the hardware's measurement leaves a part out,
    /// that of the registers which cover the part.
    var launchClass: LaunchClass {
        guard let reference, !Coverage.boot.isSubset(of: reference.covers) else {
            return claims.launchClass
        }
        // A TD's own registers are the processor's; all others are a TPM's.
        if claims.boot?.source == .confidentialComputing, rules.tpm.references.isEmpty {
            return claims.launchClass
        }
        return min(claims.launchClass, claims.tpm?.keyTrust.launchClass ?? .hostVTPM)
    }
}

extension MeasuredRegisters {
    func isFor(_ hardware: Claims.Hardware) -> Bool {
        switch (self, hardware) {
        case (.launchDigest, .snp), (.td, .tdx): true
        case (.launchDigest, .tdx), (.td, .snp): false
        }
    }

    func matches(_ hardware: Claims.Hardware) -> Bool {
        switch (self, hardware) {
        case (.launchDigest(let digest), .snp(let snp)): digest == snp.measurement
        case (.td(let mrTD, let rtmr), .tdx(let tdx)):
            mrTD == tdx.body.mrTD
                && rtmr.allSatisfy { index, value in
                    tdx.body.rtmr.indices.contains(index) && tdx.body.rtmr[index] == value
                }
        case (.launchDigest, .tdx), (.td, .snp): false
        }
    }
}

extension Claims.Hardware {
    /// What a reference value is compared with.
    var measured: String {
        switch self {
        case .snp(let snp): snp.measurement.hex
        case .tdx(let tdx):
            "MRTD \(tdx.body.mrTD.hex)"
                + tdx.body.rtmr.prefix(3).enumerated().map { ", RTMR\($0) \($1.hex)" }.joined()
        }
    }
}
