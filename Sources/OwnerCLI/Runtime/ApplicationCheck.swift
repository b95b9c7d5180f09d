import Bytes
import Curl
import OpenSSL
import Policy

/// Whether an application serves the certificate of the agent beside it.
struct ApplicationCheck {
    /// In findings.
    static let check = "applications"
    static let defaultPort: UInt16 = 443

    let address: ServerAddress
    /// SHA-256 of the DER of the agent's leaf, which the evidence is over.
    let certificate: FixedBytes<32>

    /// Connects by TLS 1.2 or 1.3 and sends nothing; who signed the leaf says nothing here.
    func finding() -> Finding {
        let expected = "\(address) serves \(certificate.hex)"
        do {
            guard let peer = try Self.peer(of: address) else {
                return finding(.refused, expected, "no certificate was seen")
            }
            let digest = peer.certificateDigest
            return finding(
                digest == certificate ? .ok : .refused, expected, "\(address) serves \(digest.hex)")
        } catch {
            return finding(.refused, expected, "\(address): \("\(error)".shown)")
        }
    }

    private func finding(_ outcome: Finding.Outcome, _ expected: String, _ actual: String)
        -> Finding
    {
        Finding(check: Self.check, outcome: outcome, expected: expected, actual: actual)
    }

    private static func peer(of address: ServerAddress) throws(HTTPFault) -> TLSPeer? {
        let seen = SeenPeer()
        let session = try unsafe HTTPSSession(
            origin: address.origin, oldest: .version12, trust: .none,
            token: SecretBytes(count: 0) { _ in },
            observe: { unsafe seen.look(at: $0) })
        try session.connect()
        return seen.peer
    }
}
