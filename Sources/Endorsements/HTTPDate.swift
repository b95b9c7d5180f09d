import Bytes

/// Points in time as HTTP writes them: `Sat, 21 Nov 2026 08:14:03 GMT` of RFC 9110, section 5.6.7.
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970, UTC; nil for any other form. The day of the week is not looked at.
    static func time(_ text: String) -> Int64? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[5] == "GMT", parts[0].utf8.count == 4,
            parts[0].hasSuffix(","), let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        return ISO8601.time("\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }
}
