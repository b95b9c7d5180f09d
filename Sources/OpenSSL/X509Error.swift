/// Why bytes are no certificate that may be looked at.
public enum X509Error: Error, Equatable, Sendable, CustomStringConvertible {
    /// Empty, or longer than any certificate of a vendor.
    case length(actual: Int, maximum: Int)
    /// No DER of a certificate.
    case malformed(OpenSSLFault)
    /// Something follows the certificate.
    case trailingBytes(Int)
    /// The same certificate has another, shorter encoding: BER, not DER.
    case notCanonical
    /// RFC 5280, section 4.2: an extension may be there once only.
    case repeatedExtension(oid: String)
    /// A text without the number of certificates that is wanted.
    case certificateCount(expected: String, actual: Int)

    /// One line: field, expected, actual.
    public var description: String {
        switch self {
        case .length(let actual, let maximum):
            "certificate: length must be 1 to \(maximum) bytes, is \(actual)"
        case .malformed(let fault): "certificate: no X.509 in DER (\(fault.reason))"
        case .trailingBytes(let count): "certificate: \(count) bytes follow its end, expected none"
        case .notCanonical: "certificate: expected DER, is another encoding"
        case .repeatedExtension(let oid): "certificate: extension \(oid) is there more than once"
        case .certificateCount(let expected, let actual):
            "certificates: expected \(expected), found \(actual)"
        }
    }
}
