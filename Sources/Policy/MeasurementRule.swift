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

    /// The class of what vouches for the whole boot.
    var launchClass: LaunchClass { claims.launchClass }
}

extension MeasuredRegisters {
    func isFor(_ hardware: Claims.Hardware) -> Bool {
        switch (self, hardware) {
        case (.launchDigest, .snp): true
        }
    }

    func matches(_ hardware: Claims.Hardware) -> Bool {
        switch (self, hardware) {
        case (.launchDigest(let digest), .snp(let snp)): digest == snp.measurement
        }
    }
}

extension Claims.Hardware {
    /// What a reference value is compared with.
    var measured: String {
        switch self {
        case .snp(let snp): snp.measurement.hex
        }
    }
}
