import Bytes
import OpenSSL
import Policy

/// Whether every certificate of a chain is valid at one time.
struct ValidityCheck {
    let chain: EndorsementChain
    /// Unix seconds, by the verifier's own clock.
    let time: Int64

    var finding: Finding {
        let expected = "valid at \(ISO8601.text(time))"
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
                actual: "all, \(ending.subjectCommonName) until \(ISO8601.text(ending.notAfter))")
        }
        let spans = invalid.map { certificate in
            "\(certificate.subjectCommonName) is valid from \(ISO8601.text(certificate.notBefore)) "
                + "until \(ISO8601.text(certificate.notAfter))"
        }
        return SNPCheck.certificateDates.finding(
            false, expected: expected, actual: spans.joined(separator: "; "))
    }
}
