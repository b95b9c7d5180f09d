import Bytes
import Foundation
import OpenSSL
import TestSupport
import Testing

@testable import OwnerCLI

private let own = VectorAppraisal.ownFolder

private func file(_ name: String) -> String { own.appendingPathComponent(name).path }

private let snp = [
    "appraise", "snp", "--report", file("snp/snp-milan-vcek-v3.bin"), "--vcek",
    file("snp/milan-vcek/vcek.der"), "--ask", file("snp/milan-vcek/ask.der"), "--ark",
    file("snp/milan-vcek/ark.der"), "--root", file("snp/milan-vcek/ark.der"), "--at",
    "2026-11-21T00:00:00Z",
]

private let tdx = [
    "appraise", "tdx", "--quote", file("tdx/tdx-v4.bin"), "--collateral",
    file("tdx/collateral.json"),
    "--root", file("tdx/root.der"), "--at", "2026-11-21T00:00:00Z",
]

private func object(_ ended: Ended) throws -> [String: Any] {
    try #require(
        JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any],
        "\(ended.output)\(ended.errors)")
}

/// The outcome of each check, by its name.
private func outcomes(_ ended: Ended) throws -> [String: String] {
    let findings = try #require(try object(ended)["findings"] as? [[String: Any]])
    return Dictionary(
        findings.compactMap { finding in
            (finding["check"] as? String).map { ($0, finding["outcome"] as? String ?? "") }
        }, uniquingKeysWith: { first, _ in first })
}

/// A copy of a vector in `folder`, changed by `change`.
private func changed(
    _ name: String, in folder: TestFolder, _ change: (inout [UInt8]) -> Void
) throws -> String {
    var bytes = try TestFiles.bytes(own.appendingPathComponent(name))
    change(&bytes)
    let path = folder.path + "/changed"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
}

private func replacing(_ option: String, _ value: String, in arguments: [String]) -> [String] {
    var arguments = arguments
    if let index = arguments.firstIndex(of: option) {
        arguments[index + 1] = value
    } else {
        arguments += [option, value]
    }
    return arguments
}

@Test(
    "self-made evidence of every kind is accepted, or refused for what is wrong with it",
    arguments: try VectorAppraisal.representative(of: VectorAppraisal.ownFolder))
func ownVectors(appraisal: VectorAppraisal) throws {
    let ended = try run(appraisal.arguments + ["--json"], in: TestFolder())
    #expect(ended.status == (appraisal.isAccepted ? 0 : 1), "\(ended.output)\(ended.errors)")
    let report = try object(ended)
    #expect(report["verdict"] as? String == (appraisal.isAccepted ? "accepted" : "refused"))
    #expect(try outcomes(ended).values.contains("refused") != appraisal.isAccepted)
}

@Test(
    "real quotes are judged as their index says",
    .enabled(if: TestFiles.vectors != nil),
    arguments: try TestFiles.vectors.map { folder in
        // Issuers of AMD's lie elsewhere in that folder; one quote has text behind it, which is refused;
        // and a log without a quoted register is not appraised.
        try VectorAppraisal.representative(of: folder).filter {
            ["tdx", "tpm-quote", "ima"].contains($0.arguments[1]) && $0.id != "tdx-v4-spr-e4"
                && ($0.arguments[1] != "ima" || $0.arguments.contains("--pcr10"))
        }
    } ?? [])
func realVectors(appraisal: VectorAppraisal) throws {
    let ended = try run(appraisal.arguments, in: TestFolder())
    #expect(ended.status == (appraisal.isAccepted ? 0 : 1), "\(ended.output)\(ended.errors)")
}

@Test("every result says launch class and config anchor first, and what was not checked")
func appraisalText() throws {
    let ended = try run(snp, in: TestFolder())
    #expect(ended.status == 0)
    let lines = ended.output.split(separator: "\n")
    #expect(lines[0] == "Accepted: AMD SEV-SNP report. 3 checks were not made; see below.")
    #expect(lines[1].hasPrefix("  launch class   cpu"))
    #expect(lines[2].hasPrefix("  config anchor  host-data "))
    #expect(ended.output.contains("binding            not checked"))
    let refused = try run(replacing("--report-data", digits(0, 64), in: snp), in: TestFolder())
    #expect(refused.status == 1)
    #expect(refused.output.hasPrefix("Refused: AMD SEV-SNP report, the check \"binding\""))
    #expect(refused.output.contains("launch class   none: the evidence is not authentic"))
}

@Test("claims of an SNP report are typed in JSON")
func snpShape() throws {
    let report = try object(try run(snp + ["--json"], in: TestFolder()))
    #expect(report["kind"] as? String == "snp")
    #expect(report["time"] as? String == "2026-11-21T00:00:00Z")
    #expect(report["launch_class"] as? String == "cpu")
    let anchor = try #require(report["config_anchor"] as? [String: Any])
    #expect(anchor["kind"] as? String == "host-data")
    let claims = try #require((report["claims"] as? [String: Any])?["snp"] as? [String: Any])
    #expect(anchor["value"] as? String == claims["host_data"] as? String)
    #expect((claims["measurement"] as? String)?.count == 96)
    #expect(claims["vmpl"] as? Int == 0)
    #expect((claims["guest_policy"] as? [String: Any])?["debug"] as? Bool == false)
    #expect((claims["reported_tcb"] as? [String: Any])?["snp"] as? Int == 24)
    #expect(claims["provider"] is NSNull)
}

@Test("claims of a TDX quote are typed in JSON")
func tdxShape() throws {
    let report = try object(try run(tdx + ["--json"], in: TestFolder()))
    let claims = try #require((report["claims"] as? [String: Any])?["tdx"] as? [String: Any])
    #expect(claims["tcb_status"] as? String == "UpToDate")
    #expect(claims["advisories"] as? [String] == [])
    #expect((claims["rtmr3"] as? String)?.count == 96)
    #expect((claims["td_attributes"] as? [String: Any])?["sept_ve_disable"] as? Bool == true)
    #expect((report["config_anchor"] as? [String: Any])?["kind"] as? String == "mrconfigid")
}

@Test(
    "one changed byte of a report or of its signature is refused", arguments: [0x90, 0x2a0, 0x2e8])
func snpMutation(offset: Int) throws {
    let folder = try TestFolder()
    let path = try changed("snp/snp-milan-vcek-v3.bin", in: folder) { $0[offset] ^= 1 }
    let ended = try run(replacing("--report", path, in: snp) + ["--json"], in: folder)
    #expect(ended.status == 1)
    #expect(try outcomes(ended)["signature"] == "refused")
    #expect(try object(ended)["claims"] is NSNull)
    #expect(try object(ended)["launch_class"] is NSNull)
}

@Test("behind a TDX quote zeros may follow, and nothing else")
func tdxTrailer() throws {
    let folder = try TestFolder()
    for (trailer, status) in [([0, 0, 0], 0), ([0, 0x74, 0], 1)] as [([UInt8], Int32)] {
        let path = try changed("tdx/tdx-v4.bin", in: folder) { $0 += trailer }
        let ended = try run(replacing("--quote", path, in: tdx), in: folder)
        #expect(ended.status == status, "\(ended.output)")
    }
}

@Test("the vendor's roots alone are believed unless --root says otherwise")
func appraisalRoots() throws {
    for arguments in [snp, tdx] {
        let index = try #require(arguments.firstIndex(of: "--root"))
        let vendor = Array(arguments[..<index] + arguments[(index + 2)...])
        #expect(try run(vendor, in: TestFolder()).status == 1)
    }
    let ended = try run(replacing("--root", file("tdx/root.der"), in: snp), in: TestFolder())
    #expect(ended.status == 2)
    #expect(ended.errors.contains("none is called ARK-Milan"))
}

@Test("a policy judges the claims, and its rules about a launch are not checked")
func judgedByPolicy() throws {
    let folder = try TestFolder()
    let claims = try #require(
        (try object(try run(snp + ["--json"], in: folder))["claims"] as? [String: Any])?["snp"]
            as? [String: Any])
    let measurement = try #require(claims["measurement"] as? String)
    for (value, status) in [(measurement, 0), (digits(1, 48), 1)] as [(String, Int32)] {
        let text = """
            name = "web"
            [[measurement]]
            label = "image"
            sha384 = "\(value)"
            covers = ["firmware", "kernel", "initramfs", "command line"]
            [minimum_tcb.Milan]
            bootloader = 4
            tee = 0
            snp = 24
            microcode = 219
            """
        try text.write(toFile: folder.path + "/web.toml", atomically: true, encoding: .utf8)
        let ended = try run(snp + ["--policy", "web.toml", "--json"], in: folder)
        #expect(ended.status == status, "\(ended.output)")
        let outcomes = try outcomes(ended)
        #expect(outcomes["measurement"] == (status == 0 ? "ok" : "refused"))
        #expect(outcomes["minimum TCB"] == "ok")
        for check in ["identity", "config anchor", "disk header", "report ID"] {
            #expect(outcomes[check] == "not checked", "\(check)")
        }
    }
}

@Test("a TPM's quote beside a report is verified with it")
func besides() throws {
    let quote = [
        "--tpm-quote", file("tpm/tpm-ecdsa/quote.msg"), "--tpm-signature",
        file("tpm/tpm-ecdsa/quote.sig"), "--tpm-key", file("tpm/ecdsa.spki.der"), "--pcrs",
        file("tpm/tpm-ecdsa/pcrs.json"),
    ]
    let good = try run(snp + quote + ["--json"], in: TestFolder())
    #expect(good.status == 0, "\(good.output)\(good.errors)")
    let claims = try #require(try object(good)["claims"] as? [String: Any])
    let tpm = try #require(claims["tpm"] as? [String: Any])
    #expect(tpm["key_trust"] as? String == "nothing")
    #expect(tpm["class"] as? String == "host-vtpm")
    #expect(tpm["clock_safe"] is Bool)
    let bad = try run(snp + quote + ["--nonce", "00"], in: TestFolder())
    #expect(bad.status == 1)
    #expect(bad.output.contains("\"TPM nonce\""))
}

private func digits(_ value: UInt8, _ count: Int) -> String {
    Hex.encode([UInt8](repeating: value, count: count))
}
