import Bytes

extension X509Certificate {
    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"
    private static let maximumCertificates = 16

    /// Parses a PEM text (RFC 7468) that holds exactly one certificate.
    public init(pem: [UInt8]) throws(X509Error) {
        let all = try Self.readAll(pem: pem)
        guard all.count == 1 else {
            throw .certificateCount(expected: "1", actual: all.count)
        }
        self = all[0]
    }

    /// Parses every certificate of a PEM text, 1 to 16 of them, in order; text between is passed over.
    public static func readAll(pem: [UInt8]) throws(X509Error) -> [X509Certificate] {
        let maximum = maximumCertificates * maximumCount * 2
        guard pem.count <= maximum else { throw .length(actual: pem.count, maximum: maximum) }
        var certificates: [X509Certificate] = []
        var body: String?
        let text = String(decoding: pem, as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.drop(while: \.isWhitespace).trimmingEnd()
            switch (line, body) {
            case (begin[...], nil):
                body = ""
            case (end[...], let .some(base64)):
                guard let der = Base64.decode(base64) else {
                    throw .malformed(OpenSSLFault(call: "PEM", reason: "no base64"))
                }
                certificates.append(try X509Certificate(der: der))
                body = nil
            case (_, .some):
                body?.append(contentsOf: line)
            default:
                break
            }
        }
        guard body == nil, (1...maximumCertificates).contains(certificates.count) else {
            throw .certificateCount(
                expected: "1 to \(maximumCertificates)", actual: certificates.count)
        }
        return certificates
    }

    /// The certificate as a PEM text.
    public var pem: [UInt8] {
        var text = Self.begin + "\n"
        let base64 = Array(Base64.encode(der).utf8)
        for start in stride(from: 0, to: base64.count, by: 64) {
            let line = base64[start..<min(start + 64, base64.count)]
            text += String(decoding: line, as: UTF8.self) + "\n"
        }
        return Array((text + Self.end + "\n").utf8)
    }
}

extension Substring {
    fileprivate func trimmingEnd() -> Substring {
        var trimmed = self
        while trimmed.last?.isWhitespace == true { trimmed.removeLast() }
        return trimmed
    }
}
