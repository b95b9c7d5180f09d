import OpenSSL
import Policy

/// Whether every certificate of a chain is valid at one time.
struct ValidityCheck {
    let chain: EndorsementChain
    /// Unix seconds, by the verifier's own clock.
    let time: Int64

    var finding: Finding {
        let expected = "valid at \(Self.text(time))"
        guard !chain.certificates.isEmpty else {
            return SNPCheck.certificateDates.notChecked(
                expected: expected, because: "no certificate that can be read")
        }
        let invalid = chain.certificates.filter { !$0.isValid(at: time) }
        if let ending = chain.certificates.min(by: { $0.notAfter < $1.notAfter }),
            invalid.isEmpty
        {
            return SNPCheck.certificateDates.finding(
                true, expected: expected,
                actual: "all, \(ending.subjectCommonName) until \(Self.text(ending.notAfter))")
        }
        let spans = invalid.map { certificate in
            "\(certificate.subjectCommonName) is valid from \(Self.text(certificate.notBefore)) "
                + "until \(Self.text(certificate.notAfter))"
        }
        return SNPCheck.certificateDates.finding(
            false, expected: expected, actual: spans.joined(separator: "; "))
    }

    /// `2026-11-21T08:00:00Z` (ISO 8601, proleptic Gregorian calendar).
    static func text(_ time: Int64) -> String {
        let seconds = ((time % 86400) + 86400) % 86400
        let day = (time - seconds) / 86400
        // Days since 0000-03-01, so that a leap day is the last day of its year; 400 years are an era.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(dayOfMonth))T"
            + "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))Z"
    }
}
