import Bytes
import Policy
import Prediction

/// A TD's predicted registers in words.
enum TDXText {
    /// What a change of would change the register.
    static func coverage(_ index: Int, _ register: PredictedRegister) -> [Coverage] {
        func has(_ text: String) -> Bool { register.events.contains { $0.what.hasPrefix(text) } }
        switch index {
        case 0: return [.firmware]
        case 1: return has("image") ? [.kernel] : []
        default:
            return (has("initrd") ? [.initramfs] : []) + (has("command line") ? [.commandLine] : [])
        }
    }

    /// What an owner should know before relying on the values.
    static func notes(_ prediction: TDXPrediction) -> [String] {
        var notes = prediction.unknown.sorted { $0.key < $1.key }.map { "\($0.value)" }
        if !prediction.fromLog.isEmpty {
            notes.append(
                "taken from the log, and as good as the boot that wrote it: "
                    + prediction.fromLog.joined(separator: ", "))
        }
        return notes
    }

    /// The table for a policy: MRTD, and the registers that are known.
    static func entry(_ prediction: TDXPrediction) -> PolicyEntry {
        let registers = prediction.registers.sorted { $0.key < $1.key }
        let covered = registers.flatMap { coverage($0.key, $0.value) }
        return PolicyEntry(
            table: "measurement",
            values: [("mrtd", prediction.measurement.hex)]
                + registers.map { ("rtmr\($0.key)", Hex.encode($0.value.value)) },
            covers: Coverage.allCases.filter { $0 == .firmware || covered.contains($0) })
    }
}
