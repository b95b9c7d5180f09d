import Bytes
import Evidence
import OpenSSL

/// What guests behind Azure's paravisor present, on SNP and on TDX.
struct AzureVectors {
    let vendor: SNPVendor
    let tdx: TDXVectors
    let seed: VectorSeed
    let now: Int64

    /// A whole chain of evidence, whose parts are changed one by one.
    private struct Parts {
        var report: [UInt8]
        var attestation: [UInt8]
        var signature: [UInt8]
        var registers: [UInt8]
    }

    private var nonce: [UInt8] { seed.bytes("nonce", count: 32) }

    func add(to set: inout VectorSet) throws {
        let key = try vendor.vTPMKey()
        let publicKey = try key.publicKey
        let text = HCLRuntimeText(
            attestationKey: publicKey, endorsementKey: publicKey,
            userData: seed.fixed("user data"))
        let chip = try VectorChip(
            .milan, .vcek, vendor: vendor, seed: VectorSeed(seed: seed.seed + [0]), set: &set,
            folder: "azure/chip")
        for version in [1, 2] as [UInt32] {
            let writer = HCLReportWriter(version: version, variableData: try text.json())
            let report = try chip.report(
                chip.template(version: version == 1 ? 2 : 3, seed: seed),
                reportData: writer.reportData)
            let parts = try parts(writer.report(hardware: report, isTDX: false), key)
            add(
                "azure-snp-v\(version)", "azure-hcl-snp", parts, chip.files, anchor: "ark.der",
                withNegatives: version == 1, to: &set)
        }
        let writer = HCLReportWriter(variableData: try text.json())
        let guest = tdx.guest()
        let quote = set.file("azure/td-quote.bin", try guest.quote(writer.reportData))
        let root = set.file("azure/root.der", tdx.machine.authority.root)
        let local = guest.localReport(writer.reportData)
        add(
            "azure-tdx", "azure-hcl-tdx",
            try parts(writer.report(hardware: local, isTDX: true), key),
            [(quote, "tdx-quote"), (root, "trust-anchor")], anchor: "root.der",
            withNegatives: true, to: &set)
        let other = set.file(
            "azure/td-quote-other.bin", try guest.quote(seed.bytes("other", count: 64)))
        add(
            "azure-tdx-neg-other-quote", "azure-hcl-tdx",
            try parts(writer.report(hardware: local, isTDX: true), key),
            [(other, "tdx-quote"), (root, "trust-anchor")], anchor: "root.der",
            reason: "hcl-binding-mismatch", to: &set)
    }

    private func parts(
        _ report: [UInt8], _ key: borrowing SigningKey
    ) throws(CryptoError) -> Parts {
        let writer = TPMQuoteWriter(
            nonce: nonce, registers: (0..<16).map { ($0, seed.bytes("pcr \($0)", count: 32)) },
            signer: [0, 0x0b] + seed.bytes("ak name", count: 32))
        let attestation = writer.attestation
        return Parts(
            report: report, attestation: attestation,
            signature: try key.sign(attestation, scheme: .rsaPKCS1(.sha256)),
            registers: writer.registersJSON)
    }

    private func add(
        _ id: String, _ kind: String, _ parts: Parts, _ files: [(path: String, role: String)],
        anchor: String, withNegatives: Bool, to set: inout VectorSet
    ) {
        add(id, kind, parts, files, anchor: anchor, reason: nil, to: &set)
        guard withNegatives else { return }
        let changes: [(what: String, reason: String, change: (inout Parts) -> Void)] = [
            ("vardata", "hcl-binding-mismatch", { $0.report[0x500] ^= 1 }),
            ("quotesig", "tpm-quote-bad-signature", { $0.signature[255] ^= 1 }),
            ("quote", "tpm-quote-bad-signature", { $0.attestation[90] ^= 1 }),
            ("pcr", "pcr-digest-mismatch", { Self.changeRegister(&$0.registers) }),
        ]
        for one in changes {
            var changed = parts
            one.change(&changed)
            add(
                "\(id)-neg-\(one.what)", kind, changed, files, anchor: anchor, reason: one.reason,
                to: &set)
        }
    }

    /// Another last digit in the last register.
    private static func changeRegister(_ text: inout [UInt8]) {
        let place = text.count - 5
        text[place] = text[place] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
    }

    private func add(
        _ id: String, _ kind: String, _ parts: Parts, _ files: [(path: String, role: String)],
        anchor: String, reason: String?, to set: inout VectorSet
    ) {
        func policy() -> [(String, JSONText.Value)] {
            kind == "azure-hcl-tdx"
                ? [TDXVectors.signaturesOnly, ("trust_anchor", .string(anchor))]
                : [("trust_anchor", .string(anchor))]
        }
        var cases = [
            VectorCase(
                name: "whole-chain", reason: reason, time: now,
                inputs: [("nonce", .string(Hex.encode(nonce)))], policy: policy())
        ]
        if reason == nil {
            cases.append(
                VectorCase(
                    name: "other-nonce", reason: "nonce-mismatch", time: now,
                    inputs: [("nonce", .string(Hex.encode(SNPVectors.changed(nonce))))],
                    policy: policy()))
        }
        set.add(
            VectorEntry(
                id: id, kind: kind,
                tags: ["azure", kind == "azure-hcl-tdx" ? "tdx" : "snp"]
                    + (reason == nil ? [] : ["negative"]),
                files: [
                    (set.file("azure/\(id)/hcl-report.bin", parts.report), "azure-hcl-report"),
                    (set.file("azure/\(id)/tpm-quote.msg", parts.attestation), "tpms-attest"),
                    (
                        set.file("azure/\(id)/tpm-quote.sig", parts.signature),
                        "rsassa-sha256-signature-raw"
                    ),
                    (set.file("azure/\(id)/pcrs.json", parts.registers), "pcr-values"),
                ] + files,
                cases: cases))
    }
}
