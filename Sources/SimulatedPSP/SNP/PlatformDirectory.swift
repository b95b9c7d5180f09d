import Bytes
import Evidence
import Linux
import OpenSSL

/// The folder that `init` fills and `serve` reads.
///
/// `ark.der`, `ask.der` (or `asvk.der`), `vcek.der` (or `vlek.der`), each with a `.key` of mode 0600
/// beside it, and `state.json` with the rest.
struct PlatformDirectory {
    let path: String

    /// Certificates and keys of these sizes or less; real ones are below 4 KiB.
    private static let limit = 16 << 10

    /// What was read: the platform, its issuers, and the key that signs its reports.
    struct Content: ~Copyable {
        let platform: Platform
        let authority: Authority
        let certificate: [UInt8]
        let key: SigningKey

        /// Keeps the issuers and drops the rest.
        consuming func takeAuthority() -> Authority { authority }

        /// Keeps the key of the reports and drops the rest.
        consuming func takeKey() -> SigningKey { key }
    }

    /// Writes everything; `state.json` comes last, so a folder that has it is complete.
    func write(
        _ platform: Platform, _ authority: borrowing Authority, certificate: [UInt8],
        key: borrowing SigningKey
    ) throws(PSPFault) {
        let (issuer, leaf) = Self.names(platform.keyKind)
        try PSPFault.writing { () throws(SystemError) in
            try File.makeDirectories(path, mode: 0o700)
            try File.writeAtomically("\(path)/ark.der", authority.certificates.root, mode: 0o644)
            try File.writeAtomically(
                "\(path)/\(issuer).der", authority.certificates.intermediate, mode: 0o644)
            try File.writeAtomically("\(path)/\(leaf).der", certificate, mode: 0o644)
        }
        try write(authority.rootKey, "ark")
        try write(authority.intermediateKey, issuer)
        try write(key, leaf)
        let state = JSONText.object(Self.state(platform, authority.rootKey.publicKeyInfoDigest))
        try PSPFault.writing { () throws(SystemError) in
            try File.writeAtomically(
                "\(path)/state.json", Array((state + "\n").utf8), mode: 0o644)
        }
    }

    /// Reads everything back.
    func read() throws(PSPFault) -> Content {
        let platform = try readState()
        let (issuer, leaf) = Self.names(platform.keyKind)
        let authority = Authority(
            product: platform.product, keyKind: platform.keyKind,
            certificates: IssuerCertificates(
                root: try readFile("ark.der"), intermediate: try readFile("\(issuer).der")),
            rootKey: try readKey("ark.key"), intermediateKey: try readKey("\(issuer).key"))
        return Content(
            platform: platform, authority: authority, certificate: try readFile("\(leaf).der"),
            key: try readKey("\(leaf).key"))
    }

    /// The members of `state.json`, and of the answer of `init --json`.
    static func state(
        _ platform: Platform, _ rootDigest: FixedBytes<32>
    ) -> [(String, JSONText.Value)] {
        let tcb = platform.product.components.map {
            ($0.rawValue, JSONText.Value.number(Int(platform.tcb.values[$0, default: 0])))
        }
        return [
            ("product", .string(platform.product.rawValue)),
            ("key", .string(platform.keyKind.rawValue)),
            ("root_spki_sha256", .string(rootDigest.hex)),
            ("chip_id", .string(platform.chipID.hex)),
            ("tcb", .object(tcb)),
        ]
    }

    private func readState() throws(PSPFault) -> Platform {
        let text = try readFile("state.json")
        let file = "\(path)/state.json"
        let state: JSONValue
        do throws(JSONError) {
            state = try JSONReader.parse(text, limits: JSONReader.Limits(byteCount: Self.limit))
        } catch {
            throw .unusable("\(file): \(error)")
        }
        guard let product = state["product"]?.string.flatMap(SNPProduct.init(rawValue:)),
            let kind = state["key"]?.string.flatMap(SNPSigningKey.init(rawValue:)), kind != .none,
            let chipID = state["chip_id"]?.string.flatMap({ FixedBytes<64>(hex: $0) }),
            let members = state["tcb"]?.members
        else {
            throw .unusable("\(file): expected the members that `bootgate-psp init` writes")
        }
        let changes = members.map { "\($0.name)=\($0.value.integer ?? -1)" }
        let tcb = try SimulatedTCB(product: product, changes: changes.joined(separator: ","))
        return Platform(product: product, keyKind: kind, tcb: tcb, chipID: chipID)
    }

    private static func names(_ kind: SNPSigningKey) -> (issuer: String, leaf: String) {
        kind == .vlek ? ("asvk", "vlek") : ("ask", "vcek")
    }

    private func write(_ key: borrowing SigningKey, _ name: String) throws(PSPFault) {
        let pem = try PSPFault.defects { () throws(CryptoError) in try key.pem() }
        try PSPFault.writing { () throws(SystemError) in
            try File.writeSecretAtomically("\(path)/\(name).key", pem)
        }
    }

    private func readFile(_ name: String) throws(PSPFault) -> [UInt8] {
        do throws(SystemError) {
            return try File.read("\(path)/\(name)", atMost: Self.limit)
        } catch {
            throw .unusable("\(error); `bootgate-psp init --dir \(path)` makes it")
        }
    }

    private func readKey(_ name: String) throws(PSPFault) -> SigningKey {
        let pem: SecretBytes
        do throws(SystemError) {
            pem = try File.readSecret("\(path)/\(name)", atMost: Self.limit)
        } catch {
            throw .unusable("\(error); `bootgate-psp init --dir \(path)` makes it")
        }
        do throws(CryptoError) {
            return try SigningKey(pem: pem)
        } catch {
            throw .unusable("\(path)/\(name): \(error)")
        }
    }
}
