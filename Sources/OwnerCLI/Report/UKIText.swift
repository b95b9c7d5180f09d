import Bytes
import Policy
import Prediction

/// Predicted registers in words.
enum UKIText {
    /// A register with its events, each by the first bytes of its digest.
    static func value(
        _ name: String, _ register: PredictedRegister, covers: [Coverage], showsEvents: Bool = true
    ) -> MeasurementReport.Value {
        MeasurementReport.Value(
            name: name, digest: Hex.encode(register.value), covers: covers,
            events: showsEvents
                ? register.events.map { "\(Hex.encode($0.digest.prefix(8)))..  \($0.what)" } : [])
    }

    /// What a change of would change the register.
    static func coverage(_ index: Int) -> [Coverage] {
        switch index {
        case 4: [.kernel]
        case 9: [.initramfs, .commandLine]
        case 11: [.kernel, .initramfs, .commandLine]
        case 12: [.initramfs, .commandLine]
        default: [.initramfs]
        }
    }

    /// What registers cover together. Only firmware extends PCR 4; whatever it started could have
    /// extended the others, so they count for nothing without it.
    static func coverage(of indices: Set<Int>) -> [Coverage] {
        guard indices.contains(4) else { return [] }
        let hasRest = indices.contains(9) || indices.isSuperset(of: [12, 13])
        return hasRest ? [.kernel, .initramfs, .commandLine] : [.kernel]
    }

    static let notes = [
        "PCR 4 holds where the image is the first that the firmware tries to boot",
        "only firmware extends PCR 4; what it starts extends the others, so they cover nothing "
            + "without PCR 4",
    ]
}
