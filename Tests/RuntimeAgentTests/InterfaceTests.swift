import AgentAPI
import Bytes
import Evidence
import Foundation
import Linux
import NIOCore
import NetIO
import OpenSSL
import Protocol
import Settings
import Testing

@testable import RuntimeAgent

@Suite("The agent's own interface")
struct InterfaceTests {
    private static let nonce = String(repeating: "5a", count: 32)

    @Test("says what it is, and that nobody may change anything unless the config names somebody")
    func about() async throws {
        try await TestAgent.with({ settings, _ in settings.tokens = [] }) { agent in
            let answer = try await agent.request(AgentPath.about)
            #expect(answer.status == 200)
            let status = try #require(answer.json)
            #expect(status["evidence"]?.string == "snp")
            #expect(status["hasTPM"] == .boolean(false) && status["logins"]?.integer == 0)
            #expect(answer.text.contains("access.tokens"))
            let refused = try await agent.request(AgentPath.snapshot, "-X", "POST", login: true)
            #expect(refused.status == 403 && refused.code == "login")
            #expect(refused.text.contains("access.tokens"))
        }
    }

    @Test("evidence is bound to the connection, and its statement names the certificate served")
    func evidence() async throws {
        try await TestAgent.with { agent in
            let body = #"{"nonce":"\#(Self.nonce)","pcrs":[14]}"#
            let answer = try await agent.request(AgentPath.evidence, "-d", body)
            #expect(answer.status == 200)
            let json = try #require(answer.json)
            let statement = try #require(json["statement"]?.string.flatMap { Base64.decode($0) })
            let parsed = try RuntimeStatement(parsing: statement)
            #expect(parsed.certificate == agent.agent.parts.identity.now.tls.certificateDigest)
            #expect(parsed.snapshot == nil && parsed.attestationKeyName.isEmpty)
            let evidence = try #require(json["evidence"]?.string.flatMap { Base64.decode($0) })
            let message = try EvidenceMessage(parsing: evidence)
            #expect(message.kind == .snp)
            // Another connection has another exporter, so the same question another report.
            let again = try await agent.request(AgentPath.evidence, "-d", body)
            #expect(again.json?["evidence"] != json["evidence"])
            #expect(again.json?["statement"] == json["statement"])
        }
    }

    @Test(
        "requests that are not well formed are refused with the member's name",
        arguments: [
            ("", "JSON"), ("[]", "object"), (#"{"nonce":"00"}"#, "nonce"),
            (#"{"nonce":"\#(nonce)","nonce":"\#(nonce)"}"#, "twice"),
            (#"{"nonce":"\#(nonce)","time":1}"#, "time"),
            (#"{"nonce":"\#(nonce)","pcrs":[24]}"#, "pcrs"),
            (#"{"nonce":"\#(nonce)","pcrs":7}"#, "pcrs"),
            (#"{"nonce":"\#(nonce)","pcrs":[-1]}"#, "pcrs"),
        ])
    func malformed(body: String, word: String) async throws {
        try await TestAgent.with { agent in
            let answer = try await agent.request(AgentPath.evidence, "-X", "POST", "-d", body)
            #expect(answer.status == 400 && answer.code == "malformed")
            #expect(answer.text.contains(word))
        }
    }

    @Test("the IMA log comes from an offset, in both forms, and is empty at its end")
    func imaLog() async throws {
        try await TestAgent.with { agent in
            #expect(try await agent.request(AgentPath.imaLog).code == "absent")
            let log = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try agent.putIMALog(binary: log, ascii: Array("10 aa ima-ng sha256:00 /x\n".utf8))
            #expect(try await agent.request(AgentPath.imaLog).body == log)
            let rest = try await agent.request("\(AgentPath.imaLog)?offset=299000&form=binary")
            #expect(rest.body == Array(log[299_000...]))
            #expect(rest.headers.contains("application/octet-stream"))
            #expect(try await agent.request("\(AgentPath.imaLog)?offset=300000").body.isEmpty)
            #expect(try await agent.request("\(AgentPath.imaLog)?offset=9000000000").body.isEmpty)
            let ascii = try await agent.request("\(AgentPath.imaLog)?form=ascii")
            #expect(ascii.text == "10 aa ima-ng sha256:00 /x\n")
            for query in ["form=xml", "offset=-1", "offset=a", "from=1", "offset=1&offset=2"] {
                let answer = try await agent.request("\(AgentPath.imaLog)?\(query)")
                #expect(answer.status == 400 && answer.code == "malformed", "\(query)")
            }
        }
    }

    @Test("a snapshot is made, told of, served with its digest in the statement, and deleted")
    func snapshot() async throws {
        try await TestAgent.with { agent in
            #expect(try await agent.request(AgentPath.snapshotFile).status == 404)
            #expect(try await agent.request(AgentPath.snapshot, "-X", "POST").status == 401)
            #expect(
                try await agent.request(AgentPath.snapshot, "-X", "POST", login: true).status == 202
            )
            var status = try await agent.request(AgentPath.snapshot)
            while status.json?["state"]?.string == "running" {
                try await Task.sleep(for: .milliseconds(50))
                status = try await agent.request(AgentPath.snapshot)
            }
            #expect(status.json?["state"]?.string == "done", "\(status.text)")
            let file = try await agent.request(AgentPath.snapshotFile)
            let digest = OpenSSLHashing().sha256(file.body)
            #expect(status.json?["digest"]?.string == digest.hex)
            #expect(status.json?["size"]?.integer == file.body.count)
            #expect(file.headers.contains("Content-Length: \(file.body.count)"))
            #expect(file.text.contains("\"Sev\""))
            #expect(try await agent.request("/snapshot").body == file.body)
            let answer = try await agent.request(
                AgentPath.evidence, "-d", #"{"nonce":"\#(Self.nonce)"}"#)
            let statement = try #require(
                answer.json?["statement"]?.string.flatMap { Base64.decode($0) })
            #expect(try RuntimeStatement(parsing: statement).snapshot == digest)
            #expect(try await agent.request(AgentPath.snapshot, "-X", "DELETE").status == 401)
            let gone = try await agent.request(AgentPath.snapshot, "-X", "DELETE", login: true)
            #expect(gone.json?["state"]?.string == "none")
            #expect(try await agent.request(AgentPath.snapshotFile).status == 404)
        }
    }

    @Test("owners of files are told in the order of the question, of absolute paths only")
    func owners() async throws {
        try await TestAgent.with { agent in
            let answer = try await agent.request(
                AgentPath.owners, "-d", #"{"paths":["/no/such/file","/usr/bin/env"]}"#)
            let owners = try #require(answer.json?["owners"]?.array)
            #expect(owners.map { $0["path"]?.string } == ["/no/such/file", "/usr/bin/env"])
            #expect(owners[0]["package"] == nil)
            for body in [#"{"paths":["a"]}"#, #"{"paths":[1]}"#, #"{}"#] {
                #expect(try await agent.request(AgentPath.owners, "-d", body).status == 400)
            }
        }
    }

    @Test("what is not there, and methods that are not, are told as such")
    func unknown() async throws {
        try await TestAgent.with { agent in
            #expect(try await agent.request("/v1/secrets").status == 404)
            #expect(try await agent.request(AgentPath.appStatus).code == "absent")
            let answer = try await agent.request(AgentPath.evidence)
            #expect(answer.status == 405 && answer.headers.contains("Allow: POST"))
        }
    }

    @Test("an address that asks too often is told to wait, and others are not")
    func rates() async throws {
        try await TestAgent.with({ settings, _ in settings.requestsPerSecond = 1 }) { agent in
            #expect(try await agent.request(AgentPath.snapshot).status != 429)
            // As if it had asked often an hour from now, so that however slow this machine is nothing comes back.
            let rates = agent.agent.parts.rates
            while rates.take("127.0.0.1", at: .now() + .hours(1)) {}
            let refused = try await agent.request(AgentPath.snapshot)
            #expect(refused.status == 429)
            #expect(rates.take("192.0.2.1", at: .now()))
            #expect(refused.code == "limit" && refused.headers.contains("Retry-After"))
        }
    }
}
