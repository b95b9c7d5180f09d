public import Bytes
public import Linux
public import OpenSSL

/// Why the agent has no key and certificate to serve.
public enum IdentityError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file, or the directory that it lies in.
    case system(SystemError)
    /// A key that nobody can use, or OpenSSL itself.
    case crypto(CryptoError)
    /// A file that is no certificate.
    case certificate(path: String, X509Error)
    /// A certificate whose key is not where it was configured.
    case keyMissing(path: String)

    /// One line: which file, and what is wrong with it.
    public var description: String {
        switch self {
        case .system(let error): error.description
        case .crypto(let error): error.description
        case .certificate(let path, let error): "\(path): \(error)"
        case .keyMissing(let path):
            "\(path): the certificate's key is not there; put it there, or take the certificate away"
        }
    }
}

/// The agent's TLS key and certificate: what the owner's program sees, and the statement names.
public struct AgentIdentity: Sendable {
    /// Where the certificate lies unless the config says otherwise, below the agent's root.
    public static let defaultCertificate = "data/cert.pem"
    /// Where the key lies unless the config says otherwise.
    public static let defaultKey = "data/cert.key"

    /// The longest files that are read, in bytes.
    private static let certificateLimit = 1 << 20
    private static let keyLimit = 65536
    private static let validity: Int64 = 3650 * 86400

    /// The certificate and what stands behind it, as it was read.
    public let certificatePEM: [UInt8]
    /// SHA-256 of the leaf's DER.
    public let leafDigest: FixedBytes<32>
    /// Whether it was made just now.
    public let isNew: Bool
    private let keyPath: String

    /// Takes what lies at both paths, whoever issued it; makes what is missing on the first start.
    ///
    /// A key without a certificate gets one, since a first start may have been cut short between both.
    /// Nothing that is there is ever replaced.
    ///
    /// - Parameters:
    ///   - hostName: CN and alternative name of a new certificate.
    ///   - time: seconds since 1970, UTC.
    public init(
        certificate: String, key: String, hostName: String, time: Int64 = Clock.realtime
    ) throws(IdentityError) {
        let isNew = !File.exists(certificate)
        if isNew {
            try Self.make(certificate: certificate, key: key, hostName: hostName, time: time)
        }
        guard File.exists(key) else { throw .keyMissing(path: key) }
        let pem: [UInt8]
        do throws(SystemError) {
            pem = try File.read(certificate, atMost: Self.certificateLimit)
        } catch {
            throw .system(error)
        }
        do throws(X509Error) {
            // A chain has its leaf first (RFC 8446, 4.4.2).
            let leaf = try X509Certificate.readAll(pem: pem)[0]
            leafDigest = OpenSSLHashing().sha256(leaf.der)
        } catch {
            throw .certificate(path: certificate, error)
        }
        certificatePEM = pem
        keyPath = key
        self.isNew = isNew
    }

    /// The key, straight into the arena.
    public func privateKeyPEM() throws(IdentityError) -> SecretBytes {
        do throws(SystemError) {
            return try File.readSecret(keyPath, atMost: Self.keyLimit)
        } catch {
            throw .system(error)
        }
    }

    private static func make(
        certificate path: String, key keyPath: String, hostName: String, time: Int64
    ) throws(IdentityError) {
        do {
            for file in [path, keyPath] {
                try File.makeDirectories(directory(of: file), mode: 0o700)
            }
            if !File.exists(keyPath) {
                try File.writeNewSecret(keyPath, try SigningKey.generate(.p256).pem())
            }
            let key = try SigningKey(pem: try File.readSecret(keyPath, atMost: keyLimit))
            let der = try issue(for: key, hostName, time)
            try File.writeNew(path, try X509Certificate(der: der).pem, mode: 0o644)
        } catch let error as SystemError {
            throw .system(error)
        } catch let error as CryptoError {
            throw .crypto(error)
        } catch let error as X509Error {
            throw .certificate(path: path, error)
        } catch {
            throw .keyMissing(path: keyPath)
        }
    }

    private static func issue(
        for key: borrowing SigningKey, _ hostName: String, _ time: Int64
    ) throws(CryptoError) -> [UInt8] {
        let name = CertificateTemplate.Name(commonName: String(hostName.prefix(64)))
        // The first bit is the sign, and the first byte must not be zero.
        let serial = [0x40 | Random.bytes(1)[0] & 0x3f] + Random.bytes(15)
        var template = CertificateTemplate(
            subject: name, issuer: name, serial: serial,
            // A machine whose clock is a little ahead shall not refuse it.
            notBefore: time - 86400, notAfter: time + validity, signature: .ecdsaSHA256)
        template.alternativeNames = [hostName]
        return try CertificateIssuer.issue(template, subjectKey: key, issuerKey: key)
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
