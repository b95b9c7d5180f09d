import Bytes
import Linux
import OpenSSL

/// The folder that `tdx init` fills: certificates in DER, keys in PEM of mode 0600, and `state.json`.
struct TDXDirectory {
    let path: String

    private static let limit = 16 << 10

    /// Writes everything; `state.json` comes last, so a folder that has it is complete.
    func write(_ machine: TDXMachine) throws(PSPFault) {
        let authority = machine.authority
        try PSPFault.writing { () throws(SystemError) in
            try File.makeDirectories(path, mode: 0o700)
            for (name, der) in [
                ("root", authority.root), ("pck-ca", authority.platformCA),
                ("tcb-signer", authority.tcbSigner), ("pck", machine.pck),
            ] {
                try File.writeAtomically("\(path)/\(name).der", der, mode: 0o644)
            }
        }
        try write(authority.rootKey, "root")
        try write(authority.platformCAKey, "pck-ca")
        try write(authority.tcbSignerKey, "tcb-signer")
        try write(machine.keys.pck, "pck")
        try write(machine.keys.attestation, "attestation")
        let text = JSONText.object(
            Self.state(machine.platform, machine.made, authority.rootKey.publicKeyInfoDigest))
        try PSPFault.writing { () throws(SystemError) in
            try File.writeAtomically(
                "\(path)/state.json", Array((text + "\n").utf8), mode: 0o644)
        }
    }

    /// The members of `state.json`, and of the answer of `tdx init --json`.
    static func state(
        _ platform: TDXPlatform, _ made: Int64, _ rootDigest: FixedBytes<32>
    ) -> [(String, JSONText.Value)] {
        [
            ("family", "TDX"), ("root_spki_sha256", .string(rootDigest.hex)),
            ("fmspc", .string(platform.fmspc.hex)), ("ppid", .string(platform.ppid.hex)),
            ("cpu_svn", .string(Hex.encode(platform.components))),
            ("pce_svn", .number(Int(platform.pceSVN))),
            ("tee_tcb_svn", .string(platform.teeTCBSVN.hex)),
            ("qe_svn", .number(Int(platform.quotingEnclaveSVN))), ("made", .number(Int(made))),
        ]
    }

    /// Reads everything back.
    func read() throws(PSPFault) -> TDXMachine {
        let (platform, made) = try readState()
        return TDXMachine(
            platform: platform,
            authority: TDXAuthority(
                rootKey: try key("root"), platformCAKey: try key("pck-ca"),
                tcbSignerKey: try key("tcb-signer"), root: try file("root.der"),
                platformCA: try file("pck-ca.der"), tcbSigner: try file("tcb-signer.der")),
            keys: TDXMachine.Keys(pck: try key("pck"), attestation: try key("attestation")),
            pck: try file("pck.der"), made: made)
    }

    private func readState() throws(PSPFault) -> (TDXPlatform, Int64) {
        let name = "\(path)/state.json"
        let text = try file("state.json")
        let state: JSONValue
        do throws(JSONError) {
            state = try JSONReader.parse(text, limits: JSONReader.Limits(byteCount: Self.limit))
        } catch {
            throw .unusable("\(name): \(error)")
        }
        guard let fmspc = state["fmspc"]?.string.flatMap({ FixedBytes<6>(hex: $0) }),
            let ppid = state["ppid"]?.string.flatMap({ FixedBytes<16>(hex: $0) }),
            let components = state["cpu_svn"]?.string.flatMap({ FixedBytes<16>(hex: $0) }),
            let pceSVN = state["pce_svn"]?.integer.flatMap(UInt16.init(exactly:)),
            let teeTCBSVN = state["tee_tcb_svn"]?.string.flatMap({ FixedBytes<16>(hex: $0) }),
            let enclave = state["qe_svn"]?.integer.flatMap(UInt16.init(exactly:)),
            let made = state["made"]?.integer
        else {
            throw .unusable("\(name): expected the members that `bootgate-psp tdx init` writes")
        }
        var platform = TDXPlatform(fmspc: fmspc, ppid: ppid)
        platform.components = components.bytes
        platform.pceSVN = pceSVN
        platform.teeTCBSVN = teeTCBSVN
        platform.quotingEnclaveSVN = enclave
        return (platform, Int64(made))
    }

    private func write(_ key: borrowing SigningKey, _ name: String) throws(PSPFault) {
        let pem = try PSPFault.defects { () throws(CryptoError) in try key.pem() }
        try PSPFault.writing { () throws(SystemError) in
            try File.writeSecretAtomically("\(path)/\(name).key", pem)
        }
    }

    private func file(_ name: String) throws(PSPFault) -> [UInt8] {
        do throws(SystemError) {
            return try File.read("\(path)/\(name)", atMost: Self.limit)
        } catch {
            throw .unusable("\(error); `bootgate-psp tdx init --dir \(path)` makes it")
        }
    }

    private func key(_ name: String) throws(PSPFault) -> SigningKey {
        let pem: SecretBytes
        do throws(SystemError) {
            pem = try File.readSecret("\(path)/\(name).key", atMost: Self.limit)
        } catch {
            throw .unusable("\(error); `bootgate-psp tdx init --dir \(path)` makes it")
        }
        do throws(CryptoError) {
            return try SigningKey(pem: pem)
        } catch {
            throw .unusable("\(path)/\(name).key: \(error)")
        }
    }
}
