import Bytes
import Evidence
import Policy

extension TPMRules {
    /// Reads the table `[tpm]`.
    init(from table: inout TOMLReader) throws(SettingsError) {
        self.init()
        isRequired = try table.optionalBool("required") ?? isRequired
        keyTrusts = try table.optionalChoices("key_trust", AttestationKeyTrust.self) ?? keyTrusts
        allowsSHA1 = try table.optionalBool("allow_sha1") ?? allowsSHA1
        references = try table.tables("pcrs") { entry throws(SettingsError) in
            try ReferencePCRs(from: &entry)
        }
    }
}

extension ReferencePCRs {
    fileprivate init(from entry: inout TOMLReader) throws(SettingsError) {
        let label = try entry.string("label")
        let bank: HashAlgorithm = try entry.optionalChoice("bank") ?? .sha256
        guard let covers = try entry.optionalChoices("covers", Coverage.self) else {
            throw entry.error(
                "covers", expected: "a list of what the registers cover", actual: "nothing")
        }
        let values = try entry.optionalTable("values") { table throws(SettingsError) in
            var values: [UInt8: [UInt8]] = [:]
            for index in 0..<24 as Range<UInt8> {
                guard let text = try table.optionalString("\(index)") else { continue }
                guard let value = Hex.decode(text), value.count == bank.size else {
                    throw table.error(
                        "\(index)", expected: "\(2 * bank.size) hexadecimal digits",
                        actual: "\(TOMLNode.string(text))")
                }
                values[index] = value
            }
            return values
        }
        self.init(label: label, bank: bank, values: values ?? [:], covers: covers)
    }
}
