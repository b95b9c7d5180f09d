import Bytes
import Evidence
import Policy

extension TDXRules {
    /// Reads the table `[tdx]`.
    init(from table: inout TOMLReader) throws(SettingsError) {
        self.init()
        let given = try table.optionalTable("tcb_status") { entry throws(SettingsError) in
            var statuses: [TCBStatus: Acceptance] = [:]
            for status in TCBStatus.allCases {
                statuses[status] = try entry.acceptance(status.rawValue)
            }
            return statuses
        }
        statuses = given ?? statuses
        try table.optionalTable("attributes") { entry throws(SettingsError) in
            attributes = try entry.bits()
        }
        xfam = try table.optionalMask("xfam")
        modules = try table.digests("modules")
        owners = try table.digests("mrowner")
        ownerConfigs = try table.digests("mrownerconfig")
    }
}

extension TOMLReader {
    /// `"always"`, or the last moment at which a status is accepted.
    fileprivate mutating func acceptance(
        _ key: String
    ) throws(SettingsError) -> TDXRules.Acceptance? {
        guard let text = try optionalString(key) else { return nil }
        if text == "always" { return .always }
        guard let end = ISO8601.time(text) else {
            throw error(
                key, expected: "\"always\" or a time such as \"2026-11-21T08:00:00Z\"",
                actual: "\(TOMLNode.string(text))")
        }
        return .until(end)
    }
}
