import Bytes
import Evidence
import Linux
import OpenSSL
import Testing

@testable import RuntimeCore

@Suite("The agent's key and certificate")
struct IdentityTests {
    private let folder: ScratchFolder
    private let hashing = OpenSSLHashing()
    private var certificate: String { "\(folder.path)/data/cert.pem" }
    private var key: String { "\(folder.path)/data/cert.key" }

    init() throws {
        folder = try ScratchFolder()
    }

    private func identity() throws -> AgentIdentity {
        try AgentIdentity(
            certificate: certificate, key: key, hostName: "web-1.example", time: 1_800_000_000)
    }

    @Test("the first start makes a key for root alone, and a certificate that a server can use")
    func firstStart() throws {
        let identity = try identity()
        #expect(identity.isNew)
        #expect(try FileStatus(of: FileDescriptor(key, .read)).mode == 0o600)
        #expect(try File.names(in: "\(folder.path)/data") == ["cert.key", "cert.pem"])
        let leaf = try X509Certificate(pem: identity.certificatePEM)
        #expect(identity.leafDigest == hashing.sha256(leaf.der))
        _ = try TLSServerContext(
            certificatePEM: identity.certificatePEM, privateKeyPEM: identity.privateKeyPEM(),
            alpn: "http/1.1")
    }

    @Test("another start takes what is there, byte for byte")
    func secondStart() throws {
        let first = try identity()
        let keyBytes = try File.read(key, atMost: 65536)
        let second = try identity()
        #expect(!second.isNew)
        #expect(second.leafDigest == first.leafDigest)
        #expect(try File.read(key, atMost: 65536) == keyBytes)
    }

    @Test("a chain of any CA is taken as it is, and its first certificate is the leaf")
    func foreign() throws {
        let issuer = try SigningKey.generate(.p256)
        let own = try SigningKey.generate(.p256)
        let authority = CertificateTemplate.Name(commonName: "an authority")
        func issue(_ name: String, for key: borrowing SigningKey) throws -> X509Certificate {
            try X509Certificate(
                der: CertificateIssuer.issue(
                    CertificateTemplate(
                        subject: .init(commonName: name), issuer: authority, serial: [7],
                        notBefore: 0, notAfter: 4_000_000_000, signature: .ecdsaSHA256),
                    subjectKey: key, issuerKey: issuer))
        }
        let leaf = try issue("app.example", for: own)
        let chain = try leaf.pem + issue("an authority", for: issuer).pem
        try folder.put("data/cert.pem", chain)
        try File.writeSecretAtomically(key, own.pem())
        let identity = try identity()
        #expect(identity.leafDigest == hashing.sha256(leaf.der))
        #expect(identity.certificatePEM == chain)
    }

    @Test("a key without a certificate gets one, as after a start that was cut short")
    func keyAlone() throws {
        let own = try SigningKey.generate(.p256)
        try File.makeDirectories("\(folder.path)/data")
        try File.writeSecretAtomically(key, own.pem())
        let before = try File.read(key, atMost: 65536)
        let identity = try identity()
        #expect(try File.read(key, atMost: 65536) == before)
        _ = try TLSServerContext(
            certificatePEM: identity.certificatePEM, privateKeyPEM: identity.privateKeyPEM(),
            alpn: "http/1.1")
    }

    @Test("a certificate without its key, and a file that is no certificate, are refused by name")
    func unusable() throws {
        _ = try identity()
        try File.remove(key)
        #expect(throws: IdentityError.keyMissing(path: key)) { _ = try identity() }
        try folder.put("data/cert.key", "no key")
        try folder.put("data/cert.pem", "no certificate")
        #expect {
            _ = try identity()
        } throws: { error in
            "\(error)".hasPrefix("\(certificate): ")
        }
    }
}

@Suite("What a statement says of the machine")
struct HostTests {
    private let folder: ScratchFolder
    private let hashing = OpenSSLHashing()

    init() throws {
        folder = try ScratchFolder()
    }

    @Test("name and boot id are the kernel's, made printable")
    func host() throws {
        try folder.put("proc/sys/kernel/hostname", "web\u{1b}1\n")
        try folder.put("proc/sys/kernel/random/boot_id", "11-22\n")
        let host = try Host(procfs: "\(folder.path)/proc")
        #expect(host == Host(name: "web_1", bootID: "11-22"))
        try folder.put("proc/sys/kernel/hostname", "\n")
        #expect(throws: SystemError.self) { _ = try Host(procfs: "\(folder.path)/proc") }
    }

    private func blob(_ kind: String) -> [UInt8] {
        var writer = ByteWriter()
        writer.opaque(Array(kind.utf8), lengthBytes: 4)
        writer.opaque([1, 2, 3], lengthBytes: 4)
        return writer.bytes
    }

    @Test("SSH host keys are the digests of the public files' blobs, and of nothing else")
    func keys() throws {
        let ed25519 = blob("ssh-ed25519")
        try folder.put(
            "ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 \(Base64.encode(ed25519)) root@web\n")
        // No private key, no other file, no blob of another kind, no link out of the folder.
        try folder.put("ssh/ssh_host_ed25519_key", "secret")
        try folder.put("ssh/moduli.pub", "ssh-ed25519 \(Base64.encode(ed25519))\n")
        try folder.put(
            "ssh/ssh_host_rsa_key.pub", "ssh-rsa \(Base64.encode(blob("ssh-dss"))) root@web\n")
        try folder.put("ssh/ssh_host_dsa_key.pub", "ssh-dss !!!\n")
        let keys = SSHHostKeys.read(in: "\(folder.path)/ssh", hashing: hashing)
        #expect(keys == [.init(kind: "ssh-ed25519", digest: hashing.sha256(ed25519))])
        #expect(SSHHostKeys.read(in: "\(folder.path)/none", hashing: hashing).isEmpty)
    }

    @Test("no more keys are named than a statement may have")
    func bounded() throws {
        for number in 0..<20 {
            try folder.put(
                "ssh/ssh_host_\(number)_key.pub",
                "ssh-ed25519 \(Base64.encode(blob("ssh-ed25519")))\n")
        }
        #expect(SSHHostKeys.read(in: "\(folder.path)/ssh", hashing: hashing).count == 16)
    }
}
