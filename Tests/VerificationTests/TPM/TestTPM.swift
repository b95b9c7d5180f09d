import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Verification

/// A TPM of this process: keys, registers and quotes over them, which tests take apart.
struct TestTPM {
    static let now: Int64 = 1_800_000_000

    /// Keys of one run: making RSA takes seconds, so it is made once.
    enum Keys {
        private final class Box: Sendable {
            let key: SigningKey

            init(_ kind: SigningKey.Kind) {
                do {
                    key = try SigningKey.generate(kind)
                } catch {
                    fatalError("no key: \(error)")
                }
            }
        }

        private static let p256 = Box(.p256)
        private static let p384 = Box(.p384)
        private static let rsa = Box(.rsa4096)

        static func sign(
            _ message: [UInt8], _ scheme: VerificationKey.Scheme, _ kind: SigningKey.Kind
        ) throws -> [UInt8] {
            switch kind {
            case .p256: try p256.key.sign(message, scheme: scheme)
            case .p384: try p384.key.sign(message, scheme: scheme)
            case .rsa4096: try rsa.key.sign(message, scheme: scheme)
            }
        }

        static func publicKey(_ kind: SigningKey.Kind) throws -> VerificationKey {
            switch kind {
            case .p256: try p256.key.publicKey
            case .p384: try p384.key.publicKey
            case .rsa4096: try rsa.key.publicKey
            }
        }

        static func certificate(
            _ template: CertificateTemplate, for kind: SigningKey.Kind,
            signedBy issuer: borrowing SigningKey
        ) throws -> X509Certificate {
            let der =
                switch kind {
                case .p256:
                    try CertificateIssuer.issue(
                        template, subjectKey: p256.key, issuerKey: issuer)
                case .p384:
                    try CertificateIssuer.issue(
                        template, subjectKey: p384.key, issuerKey: issuer)
                case .rsa4096:
                    try CertificateIssuer.issue(template, subjectKey: rsa.key, issuerKey: issuer)
                }
            return try X509Certificate(der: der)
        }
    }

    let kind: SigningKey.Kind
    let scheme: VerificationKey.Scheme
    var quote = TPMQuoteBuilder()
    var area: TPMPublicBuilder
    var values = PCRValues()
    var expected: TPMQuoteVerifier.Expectation
    var anchors: [TrustAnchor] = []
    var trust = KeyTrustEvidence.nothing
    var knowsPublicArea = true
    var givesValues = true

    init(
        _ kind: SigningKey.Kind = .p256, _ scheme: VerificationKey.Scheme = .ecdsa(.sha256)
    ) throws {
        self.kind = kind
        self.scheme = scheme
        let info = try Keys.publicKey(kind).subjectPublicKeyInfo
        switch kind {
        case .p256:
            area = TPMPublicBuilder(p256X: Array(info.suffix(64).prefix(32)), y: info.suffix(32))
        case .p384:
            area = TPMPublicBuilder(p256X: Array(info.suffix(96).prefix(48)), y: info.suffix(48))
            area.details = [0x00, 0x04, 0x00, 0x10]
        case .rsa4096:
            // The numbers stand at the end: modulus, then an exponent of 3 bytes in 5.
            area = TPMPublicBuilder(rsaModulus: Array(info.dropLast(5).suffix(512)))
        }
        area.scheme = Self.tpmScheme(scheme)
        for index in [0, 4, 7, 10] as [UInt8] {
            try values.insert(Array(repeating: index, count: 32), at: index, in: .sha256)
        }
        expected = TPMQuoteVerifier.Expectation(
            nonce: quote.extraData, selection: PCRSelection([.sha256: [0, 4, 7, 10]]))
        setDigest()
    }

    /// Makes pcrDigest what the registers hold.
    mutating func setDigest() {
        let all = [0, 4, 7, 10].flatMap { values[.sha256, $0] ?? [] }
        quote.pcrDigest = OpenSSLHashing().digest(scheme.hash, all)
    }

    static func tpmScheme(_ scheme: VerificationKey.Scheme) -> [UInt8] {
        var writer = ByteWriter()
        switch scheme {
        case .rsaPKCS1: writer.bigEndian(UInt16(0x0014))
        case .rsaPSS: writer.bigEndian(UInt16(0x0016))
        case .ecdsa: writer.bigEndian(UInt16(0x0018))
        }
        writer.bigEndian(scheme.hash.tpmIdentifier)
        return writer.bytes
    }

    /// TPMT_SIGNATURE over `message`.
    func sign(_ message: [UInt8]) throws -> [UInt8] {
        let number = try Keys.sign(message, scheme, kind)
        var writer = ByteWriter()
        writer.raw(Self.tpmScheme(scheme))
        if case .ecdsa = scheme {
            writer.opaque(Array(number.prefix(number.count / 2)), lengthBytes: 2)
            writer.opaque(Array(number.suffix(number.count / 2)), lengthBytes: 2)
        } else {
            writer.opaque(number, lengthBytes: 2)
        }
        return writer.bytes
    }

    var publicArea: TPMPublic {
        get throws { try TPMPublic(parsing: area.bytes) }
    }

    var name: TPMName {
        get throws { try publicArea.name(hashing: OpenSSLHashing()) }
    }

    /// What a fresh verifier says of a quote that is signed last.
    func verify(at time: Int64 = now) throws -> TPMResult {
        try verify(quote.bytes, sign(quote.bytes), at: time)
    }

    func verify(
        _ attestation: [UInt8], _ signature: [UInt8], at time: Int64 = now
    ) throws -> TPMResult {
        let key =
            knowsPublicArea
            ? try AttestationKey(publicArea: publicArea)
            : AttestationKey(key: try Keys.publicKey(kind))
        return TPMQuoteVerifier(anchors: anchors).verify(
            TPMQuoteVerifier.Quote(
                attestation: attestation, signature: .structure(signature),
                values: givesValues ? values : nil),
            key: key, trust: trust, expected: expected, at: time)
    }
}

extension TPMResult {
    /// The checks that did not hold.
    var refused: [String] { findings.filter { $0.outcome == .refused }.map(\.check) }

    /// The checks that were not made.
    var notChecked: [String] { findings.filter { $0.outcome == .notChecked }.map(\.check) }

    /// The outcome of one check.
    func outcome(_ check: TPMCheck) -> String {
        findings.first { $0.check == check.rawValue }?.outcome.rawValue ?? "missing"
    }
}
