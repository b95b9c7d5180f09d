import Linux
import Policy

/// Predicted values, what each covers, and what they were made from.
struct MeasurementReport: Encodable {
    /// One register.
    struct Value: Encodable {
        /// Such as `launch digest`, `RTMR1` or `PCR 11`.
        let name: String
        /// In hexadecimal.
        let digest: String
        /// What would change it.
        let covers: [Coverage]
        /// What was measured into it, in order; empty where that says no more than the inputs.
        var events: [String] = []
    }

    struct Input: Encodable {
        let name: String
        let value: String

        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// `snp`, `tdx` or `uki`.
    let platform: String
    let values: [Value]
    var inputs: [Input] = []
    /// What an owner should know before relying on the values.
    var notes: [String] = []
    /// The table for a policy.
    var entry: PolicyEntry?

    private enum CodingKeys: String, CodingKey {
        case platform, values, inputs, notes
    }

    /// The values first; what they cover and come from below.
    var lines: [String] {
        var lines: [String] = []
        if values.count == 1, let value = values.first {
            lines += [value.digest, ""]
        } else {
            let width = (values.map(\.name.count).max() ?? 0) + 2
            lines += values.map { $0.name.padded(to: width) + $0.digest } + [""]
        }
        let label = { (name: String) in "  " + name.padded(to: 15) }
        for value in values where !value.covers.isEmpty {
            let name = values.count == 1 ? "covers" : value.name
            lines.append(label(name) + value.covers.map(\.rawValue).joined(separator: ", "))
            lines += value.events.map { label("") + $0.shown }
        }
        lines += inputs.map { label($0.name) + $0.value.shown }
        lines += notes.map { "Note: \($0.shown)." }
        return lines
    }

    func print(entry label: String?, asJSON: Bool) {
        if !asJSON, label != nil { notes.forEach { Console.printError("Note: \($0.shown).") } }
        Output.show(
            self, asJSON: asJSON, else: label.map { entry?.lines(label: $0) ?? [] } ?? lines)
    }
}
