public import Protocol

/// How rows of the ledger of reports are called.
public enum ReportReference {
    /// `R-00012` for row 12.
    public static func text(_ number: Int64) -> String {
        let digits = String(number)
        return "R-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits)"
    }
}

extension LaunchReference {
    /// `R-00012` for row 12 of the ledger of reports.
    public init(report number: Int64) {
        guard let reference = LaunchReference(ReportReference.text(number)) else {
            preconditionFailure("a row number is a reference")
        }
        self = reference
    }
}
