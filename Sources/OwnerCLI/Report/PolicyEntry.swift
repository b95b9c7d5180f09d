import Policy

/// A table of predicted values, ready for a policy; `docs/policy.md` has the keys.
struct PolicyEntry {
    /// `measurement` or `tpm.pcrs`.
    let table: String
    /// Key and value of each line, the value as a TOML string without quotes.
    let values: [(key: String, value: String)]
    /// The bank of registers that a TPM has.
    var bank: String?
    let covers: [Coverage]

    func lines(label: String) -> [String] {
        let covers = covers.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        var lines = ["[[\(table)]]", "label = \(JSONText.compact(label))"]
        if let bank { lines.append("bank = \"\(bank)\"") }
        lines.append("covers = [\(covers)]")
        if bank != nil { lines += ["", "[\(table).values]"] }
        return lines + values.map { "\($0.key) = \"\($0.value)\"" }
    }
}
