/// Why bytes are no certificate that may be looked at.
public enum X509Error: Error, Equatable, Sendable, CustomStringConvertible {
    /// Empty, or longer than any certificate of a vendor.
    case length(actual: Int, maximum: Int)
    /// A text (RFC 7468) in a place that takes DER only.
    case pemInsteadOfDER
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
    /// Bytes that are no revocation list that may be looked at.
    case revocationList(RevocationListFault)

    /// What is wrong with a revocation list.
    public enum RevocationListFault: Equatable, Sendable {
        /// Empty, or longer than is read.
        case length(actual: Int, maximum: Int)
        /// A text (RFC 7468) in a place that takes DER only.
        case pemInsteadOfDER
        /// No DER of a list.
        case malformed(OpenSSLFault)
        /// Something follows the list.
        case trailingBytes(Int)
        /// The same list has another encoding: BER, not DER.
        case notCanonical
        /// An extension, of the list or of one entry, is there twice.
        case repeatedExtension(oid: String)
        /// A critical extension that changes what the list means in a way not known here.
        case criticalExtension(oid: String)
        /// A difference to another list, entries of other issuers, or a part of the issuer's list:
        /// what is not in it may be revoked all the same.
        case partial(oid: String)
        /// Nobody can tell whether a list without nextUpdate is still the last one.
        case noNextUpdate
        /// thisUpdate is behind nextUpdate.
        case dates
    }

    /// One line: field, expected, actual.
    public var description: String {
        switch self {
        case .length(let actual, let maximum):
            "certificate: length must be 1 to \(maximum) bytes, is \(actual)"
        case .pemInsteadOfDER: "certificate: expected DER, is PEM"
        case .malformed(let fault): "certificate: no X.509 in DER (\(fault.reason))"
        case .trailingBytes(let count): "certificate: \(count) bytes follow its end, expected none"
        case .notCanonical: "certificate: expected DER, is another encoding"
        case .repeatedExtension(let oid): "certificate: extension \(oid) is there more than once"
        case .certificateCount(let expected, let actual):
            "certificates: expected \(expected), found \(actual)"
        case .revocationList(let fault): "revocation list: \(fault)"
        }
    }
}

extension X509Error.RevocationListFault: CustomStringConvertible {
    /// One line: expected, actual.
    public var description: String {
        switch self {
        case .length(let actual, let maximum):
            "length must be 1 to \(maximum) bytes, is \(actual)"
        case .pemInsteadOfDER: "expected DER, is PEM"
        case .malformed(let fault): "no X.509 CRL in DER (\(fault.reason))"
        case .trailingBytes(let count): "\(count) bytes follow its end, expected none"
        case .notCanonical: "expected DER, is another encoding"
        case .repeatedExtension(let oid): "extension \(oid) is there more than once"
        case .criticalExtension(let oid): "critical extension \(oid) is not known"
        case .partial(let oid): "expected a whole list, extension \(oid) says it is not"
        case .noNextUpdate: "nextUpdate is missing"
        case .dates: "nextUpdate is before thisUpdate"
        }
    }
}
