import Bytes
import Policy

extension BootRules {
    /// Reads the table `[boot]`.
    init(from table: inout TOMLReader) throws(SettingsError) {
        self.init()
        isRequired = try table.optionalBool("required") ?? isRequired
        secureBoot = try table.optionalBool("secure_boot")
        authorities = try table.digests("authorities")
        images = try table.imageDigests("images") ?? []
        drivers = try table.imageDigests("drivers")
        commandLines = try table.optionalStrings("command_lines").map(Set.init)
        allowsUnexplained = try table.optionalBool("allow_unexplained") ?? allowsUnexplained
        covers = try table.optionalChoices("covers", Coverage.self) ?? []
    }
}

extension TOMLReader {
    /// Digests of SHA-256, SHA-384 or SHA-512; nil where the key is absent.
    fileprivate mutating func imageDigests(
        _ key: String
    ) throws(SettingsError) -> Set<[UInt8]>? {
        guard let texts = try optionalStrings(key) else { return nil }
        var digests: Set<[UInt8]> = []
        for (index, text) in texts.enumerated() {
            guard let digest = Hex.decode(text), [32, 48, 64].contains(digest.count) else {
                throw error(
                    key, expected: "64, 96 or 128 hexadecimal digits as item \(index)",
                    actual: "\(TOMLNode.string(text))")
            }
            digests.insert(digest)
        }
        return digests
    }
}
