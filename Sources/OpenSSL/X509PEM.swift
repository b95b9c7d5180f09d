import Bytes

extension X509Certificate {
    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"
    private static let maximumCertificates = 16

    /// The most certificates that a vendor's chain may have.
    public static let maximumChain = 8

    /// Parses a PEM text (RFC 7468) that holds exactly one certificate.
    public init(pem: [UInt8]) throws(X509Error) {
        let all = try Self.readAll(pem: pem)
        guard all.count == 1 else {
            throw .certificateCount(expected: "1", actual: all.count)
        }
        self = all[0]
    }

    /// Parses one certificate from DER, or from a PEM text that holds nothing else.
    ///
    /// For fields that really carry both; where DER is due, `init(der:)` refuses PEM by name.
    public init(derOrPEM data: [UInt8]) throws(X509Error) {
        if Self.isPEM(data) {
            try self.init(pem: data)
        } else {
            try self.init(der: data)
        }
    }

    /// Parses a vendor's chain, 1 to 8 certificates of a PEM text in order; text between is passed
    /// over. Certificates are counted before the first is looked at.
    public static func certificates(pem: [UInt8]) throws(X509Error) -> [X509Certificate] {
        try read(pem: pem, atMost: maximumChain)
    }

    /// Parses every certificate of a PEM text, 1 to 16 of them, in order; text between is passed over.
    public static func readAll(pem: [UInt8]) throws(X509Error) -> [X509Certificate] {
        try read(pem: pem, atMost: maximumCertificates)
    }

    private static func read(
        pem: [UInt8], atMost maximum: Int
    ) throws(X509Error) -> [X509Certificate] {
        let maximumBytes = maximumCertificates * maximumCount * 2
        guard pem.count <= maximumBytes else {
            throw .length(actual: pem.count, maximum: maximumBytes)
        }
        var bodies: [String] = []
        var body: String?
        let text = String(decoding: pem, as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.drop(while: \.isWhitespace).trimmingEnd()
            switch (line, body) {
            case (begin[...], nil):
                body = ""
            case (end[...], .some(let base64)):
                bodies.append(base64)
                body = nil
            case (_, .some):
                body?.append(contentsOf: line)
            default:
                break
            }
        }
        guard body == nil, (1...maximum).contains(bodies.count) else {
            throw .certificateCount(expected: "1 to \(maximum)", actual: bodies.count)
        }
        var certificates: [X509Certificate] = []
        for base64 in bodies {
            guard let der = Base64.decode(base64) else {
                throw .malformed(OpenSSLFault(call: "PEM", reason: "no base64"))
            }
            certificates.append(try X509Certificate(der: der))
        }
        return certificates
    }

    /// Whether `data` begins as a PEM text does; no DER does.
    static func isPEM(_ data: [UInt8]) -> Bool {
        data.starts(with: Array("-----BEGIN ".utf8))
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
