import Bytes
import Evidence
import OpenSSL
import Policy
import Verification

/// IMA logs, and the policies that they are held to.
struct IMACases {
    let files: CaseFiles

    /// A log, maybe with a register, a policy and keys.
    func log() throws(VectorFault) -> Verdict {
        try files.one.require(onlyPolicy: [
            "forbid_violations", "runtime_policy", "keys", "ima_signatures",
        ])
        var expectations = IMAExpectations(quoted: try registers())
        expectations.forbidsViolations = files.one.flag("forbid_violations")
        if let name = files.one.policy["runtime_policy"]?.string {
            expectations.policy = try policy(try files.named(name), name)
        }
        if let names = files.one.policy["keys"]?.array {
            var keys: [FileSigningKey] = []
            for name in names { keys.append(try key(try files.named(name.string ?? ""))) }
            expectations.signatures = .required(keys)
        }
        switch files.one.policy["ima_signatures"]?.string {
        case nil: break
        case "verify-when-present":
            var keys: [FileSigningKey] = []
            for role in ["ima-file-signing-certificate", "ima-file-signing-public-key"] {
                for path in files.entry.paths(role: role) {
                    keys.append(try key(try files.folder.read(path)))
                }
            }
            expectations.signatures = .whenPresent(keys)
        case let other?: throw VectorFault("policy.ima_signatures: \(other): unknown here")
        }
        return verdict(try bytes(), expectations)
    }

    /// A policy: signed by the key beside it, or one that was built from the log and list beside it.
    func runtimePolicy() throws(VectorFault) -> Verdict {
        if let name = files.one.inputs["policy"]?.string {
            var keys: [VerificationKey] = []
            for path in files.entry.paths(role: "public-key") {
                let bytes = try files.folder.read(path)
                do throws(CryptoError) {
                    keys.append(try VerificationKey(pem: bytes))
                } catch {
                    throw VectorFault("\(path): \(error)")
                }
            }
            return Verdict([SignedRuntimePolicy.open(try files.named(name), keys: keys).finding])
        }
        // What a policy is built from has to be readable; its template hashes may be made up.
        let log = try bytes()
        let list = try policy(try files.required("allowlist"), "allowlist")
        _ = try policy(try files.required("keylime-runtime-policy"), "keylime-runtime-policy")
        guard list.digests.count > 0 else {
            return .reject(reason: "malformed", detail: "the list names no file")
        }
        var verifier = IMAVerifier(IMAExpectations(quoted: [:]))
        verifier.append(log[...])
        return Verdict(
            verifier.finish().findings.filter { $0.check == IMACheck.format.rawValue })
    }

    /// Holds `log` to `expectations`.
    func verdict(_ log: [UInt8], _ expectations: IMAExpectations) -> Verdict {
        var verifier = IMAVerifier(expectations)
        verifier.append(log[...])
        return Verdict(verifier.finish().findings)
    }

    func bytes() throws(VectorFault) -> [UInt8] {
        if let text = try files.optional("ima-log-ascii") { return text }
        return try files.required("ima-log-binary")
    }

    private func registers() throws(VectorFault) -> [HashAlgorithm: [UInt8]] {
        var registers: [HashAlgorithm: [UInt8]] = [:]
        for bank in files.one.inputs["pcr10"]?.members ?? [] {
            guard let algorithm = HashAlgorithm(rawValue: bank.name),
                let value = bank.value.string.flatMap(Hex.decode), value.count == algorithm.size
            else { throw VectorFault("inputs.pcr10.\(bank.name): unusable") }
            registers[algorithm] = value
        }
        return registers
    }

    private func policy(
        _ bytes: [UInt8], _ name: String
    ) throws(VectorFault) -> IMARuntimePolicy {
        do throws(ParseError) {
            return try IMARuntimePolicy(parsing: bytes)
        } catch {
            throw VectorFault("\(name): \(error)")
        }
    }

    private func key(_ bytes: [UInt8]) throws(VectorFault) -> FileSigningKey {
        do throws(CryptoError) {
            return try FileSigningKey(parsing: bytes)
        } catch {
            throw VectorFault("key: \(error)")
        }
    }
}
