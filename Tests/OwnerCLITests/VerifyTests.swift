import Bytes
import Evidence
import Foundation
import OpenSSL
import Synchronization
import TestSupport
import Testing

@testable import OwnerCLI

/// `bootgate verify`, against an agent over real TLS.
@Suite("Verify")
struct VerifyTests {
    @Test("a VM that is what its snapshot says is trusted, and the first line says so")
    func trusted() throws {
        let fixture = try RuntimeFixture()
        let ended = try fixture.verify()
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(
            ended.output.hasPrefix(
                "web-1 is trusted: 3 of 3 measured files are in the snapshot of 2026-09-21."),
            "\(ended.output)")
        #expect(ended.output.contains("\n  TEE evidence       ok           SNP Genoa"))
        #expect(
            ended.output.contains("\n  IMA log            ok           3 entries replay to PCR 10"))
        #expect(ended.output.contains("\n  applications       not checked"))
        #expect(!ended.output.contains("\u{1b}"))
    }

    @Test("every request of one look goes over one connection")
    func oneConnection() throws {
        let fixture = try RuntimeFixture()
        #expect(try fixture.verify().status == 0)
        fixture.agent.state.withLock { state in
            #expect(state.connections == 1)
            #expect(
                state.requests
                    == ["POST /v1/evidence", "GET /v1/ima/log?form=binary&offset=0"])
        }
    }

    @Test("a file that the snapshot does not have is named with its path")
    func newBinary() throws {
        let fixture = try RuntimeFixture()
        fixture.measure("/tmp/evil", 0xee)
        let ended = try fixture.verify()
        #expect(ended.status == 1, "\(ended.errors)")
        #expect(ended.output.hasPrefix("web-1 is not trusted: "))
        #expect(ended.output.contains("/tmp/evil"))
    }

    @Test("a file that changed is named with both digests")
    func changedFile() throws {
        let fixture = try RuntimeFixture()
        fixture.measure("/usr/bin/bash", 0xee)
        let ended = try fixture.verify(["--json"])
        #expect(ended.status == 1, "\(ended.errors)")
        let answer = try JSONDecoder().decode(Answer.self, from: Data(ended.output.utf8))
        #expect(answer.verdict == "failed")
        let problem = try #require(answer.problems.first)
        #expect(problem.path == "/usr/bin/bash")
        #expect(problem.entry == 3)
        #expect(problem.detail.contains("b1b1"))
    }

    @Test("a whitelist lets in what it names, with that digest alone")
    func whitelist() throws {
        let fixture = try RuntimeFixture()
        fixture.measure("/opt/tool", 0xee)
        try fixture.write(
            "list", Array("/opt/tool \(String(repeating: "ee", count: 32))\n\n".utf8))
        let listed = try fixture.verify(["--whitelist", "list"])
        #expect(listed.status == 0)
        #expect(
            listed.output.hasPrefix(
                "web-1 is trusted: 3 of 4 measured files are in the snapshot of 2026-09-21, 1 in the whitelist."
            ), "\(listed.output)")
        try fixture.write(
            "list", Array("/opt/tool \(String(repeating: "ef", count: 32))\n".utf8))
        #expect(try fixture.verify(["--whitelist", "list"]).status == 1)
        try fixture.write("list", Array("/opt/tool\n".utf8))
        let ended = try fixture.verify(["--whitelist", "list"])
        #expect(ended.status == 2)
        #expect(ended.errors.contains("--whitelist: list, line 1: expected a path, a space and a"))
    }

    @Test("entries behind the quote are told, and judged at the next look")
    func longerLog() throws {
        let fixture = try RuntimeFixture()
        fixture.measure("/usr/bin/late", 0xee)
        fixture.agent.state.withLock { $0.vm.quotedEntries = 3 }
        let ended = try fixture.verify()
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        #expect(ended.output.contains("1 newer one will be looked at next time"))
    }

    @Test(
        "a log that was cut, reordered or changed is refused",
        arguments: ["cut", "reordered", "changed"])
    func forgedLog(_ forgery: String) throws {
        let fixture = try RuntimeFixture()
        let log = fixture.agent.state.withLock { $0.vm.log }
        var forged = log
        switch forgery {
        case "cut": forged.entries.removeLast()
        case "reordered": forged.entries.swapAt(1, 2)
        default:
            forged.entries[1] = SimulatedVM.entry("/usr/bin/bash", [UInt8](repeating: 1, count: 32))
        }
        fixture.agent.state.withLock { [forged] in $0.vm.servedLog = forged }
        let ended = try fixture.verify()
        #expect(ended.status == 1, "\(ended.errors)")
        #expect(ended.output.contains("IMA replay"), "\(ended.output)")
    }

    @Test("evidence over an older nonce is refused")
    func replayed() throws {
        let fixture = try RuntimeFixture()
        fixture.agent.state.withLock { $0.vm.oldNonce = FixedBytes() }
        let ended = try fixture.verify()
        #expect(ended.status == 1)
        #expect(ended.output.contains("binding"), "\(ended.output)")
        #expect(ended.output.contains("Next: do not believe this VM"))
    }

    @Test("a proxy that serves another certificate is refused")
    func otherCertificate() throws {
        let fixture = try RuntimeFixture()
        fixture.agent.state.withLock {
            $0.otherCertificate = FixedBytes([UInt8](repeating: 1, count: 32))
        }
        let ended = try fixture.verify()
        #expect(ended.status == 1)
        #expect(ended.output.contains("TLS certificate"))
    }

    @Test("a VM without a TPM proves too little, and that is no pass")
    func withoutTPM() throws {
        let fixture = try RuntimeFixture()
        fixture.agent.state.withLock { $0.vm.hasTPM = false }
        let ended = try fixture.verify()
        #expect(ended.status == 1)
        #expect(ended.output.hasPrefix("web-1 is not trusted"))
    }

    @Test("an application has to serve the agent's certificate")
    func applications() throws {
        let fixture = try RuntimeFixture()
        let other = try RuntimeFixture()
        let good = try fixture.verify(["--application", "localhost:\(fixture.agent.port)"])
        #expect(good.status == 0, "\(good.output)")
        #expect(good.output.contains("applications       ok"))
        let bad = try fixture.verify(["--application", "localhost:\(other.agent.port)"])
        #expect(bad.status == 1)
        #expect(bad.output.contains("applications       REFUSED"))
        #expect(bad.output.contains("Next: see what answers at that address"))
        let none = try fixture.verify(["--application", "localhost:1"])
        #expect(none.status == 1)
    }

    @Test("a signature beside the snapshot has to hold")
    func signatures() throws {
        let fixture = try RuntimeFixture()
        let key = try SigningKey.generate(.p256)
        let file = fixture.agent.state.withLock { $0.snapshot }
        try fixture.write("web-1.snapshot", file)
        try fixture.write("signer.der", key.publicKey.subjectPublicKeyInfo)
        let missing = try fixture.verify(["--signer", "signer.der"])
        #expect(missing.status == 1)
        #expect(missing.output.contains("no file web-1.snapshot.sig"))
        try fixture.write("web-1.snapshot.sig", key.derSignature(overDigest: digest(file)))
        #expect(try fixture.verify(["--signer", "signer.der"]).status == 0)
        try fixture.write("web-1.snapshot.sig", key.derSignature(overDigest: digest(file + [0x20])))
        let other = try fixture.verify(["--signer", "signer.der"])
        #expect(other.status == 1)
        #expect(other.output.contains("snapshot signature"))
        #expect(other.output.contains("Next: the file is not the one that was signed"))
    }

    @Test("a signed snapshot is no pass for a log that does not lead to the quote")
    func signedAndForged() throws {
        let fixture = try RuntimeFixture()
        let key = try SigningKey.generate(.p256)
        let file = fixture.agent.state.withLock { $0.snapshot }
        try fixture.write("signer.der", key.publicKey.subjectPublicKeyInfo)
        try fixture.write("web-1.snapshot.sig", key.derSignature(overDigest: digest(file)))
        fixture.agent.state.withLock { state in
            state.vm.servedLog = state.vm.log
            state.vm.servedLog?.entries.removeLast()
        }
        let ended = try fixture.verify(["--signer", "signer.der"])
        #expect(ended.status == 1)
        #expect(
            ended.output.contains(
                "\n  snapshot           not checked  the log does not lead to the quote"),
            "\(ended.output)")
        fixture.agent.state.withLock { $0.vm.hasTPM = false }
        let without = try fixture.verify(["--signer", "signer.der"])
        #expect(without.output.contains("\n  snapshot           not checked  there is no genuine"))
        #expect(without.output.contains("\n  IMA log            not checked  "))
    }

    @Test("a user without a folder for keys has no key to check a signature with")
    func homeless() throws {
        let fixture = try RuntimeFixture()
        try fixture.write("web-1.snapshot", fixture.agent.state.withLock { $0.snapshot })
        try fixture.write("web-1.snapshot.sig", [1])
        let ended = try run(
            [
                "verify", "-s", "web-1.snapshot", "--url", fixture.agent.url, "--root", "root.der",
                "--allow-insecure-tls", "--socket", fixture.path("none.sock"),
            ], in: fixture.folder, environment: ["HOME": "", "XDG_CONFIG_HOME": ""])
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.output.contains("not checked: snapshot signature"), "\(ended.output)")
    }

    @Test("a certificate that nobody vouches for is refused unless it is allowed")
    func untrustedTLS() throws {
        let fixture = try RuntimeFixture()
        try fixture.write("web-1.snapshot", fixture.agent.state.withLock { $0.snapshot })
        let ended = try fixture.run(
            ["verify", "-s", "web-1.snapshot", "--url", fixture.agent.url], insecure: false)
        #expect(ended.status == 1)
        #expect(ended.errors.contains("With --allow-insecure-tls the evidence alone says"))
    }

    @Test("each way to end has its exit code")
    func exitCodes() throws {
        let fixture = try RuntimeFixture()
        try fixture.write("web-1.snapshot", fixture.agent.state.withLock { $0.snapshot })
        let file = ["verify", "-s", "web-1.snapshot"]
        #expect(try fixture.run(["verify"]).status == 64)
        #expect(try fixture.run(file + ["--watch", "1s"]).status == 64)
        #expect(try fixture.run(["verify", "-s", "none"]).status == 2)
        #expect(try fixture.run(file + ["--url", "http://localhost"]).status == 2)
        #expect(try fixture.run(file + ["--url", "https://localhost:1"]).status == 69)
        fixture.agent.state.withLock {
            $0.answers["/v1/evidence"] = (429, #"{"code":"limit","message":"too many"}"#)
        }
        let limited = try fixture.run(file + ["--url", fixture.agent.url])
        #expect(limited.status == 69)
        #expect(limited.errors.contains("Next: say it again in a minute."))
        fixture.agent.state.withLock { $0.answers["/v1/evidence"] = (200, "{}") }
        #expect(try fixture.run(file + ["--url", fixture.agent.url]).status == 70)
    }

    private func digest(_ bytes: [UInt8]) -> [UInt8] { OpenSSLHashing().sha256(bytes).bytes }

    private struct Answer: Decodable {
        struct Problem: Decodable {
            let check: String
            let entry: Int
            let path: String
            let detail: String
        }

        let verdict: String
        let problems: [Problem]
    }
}
