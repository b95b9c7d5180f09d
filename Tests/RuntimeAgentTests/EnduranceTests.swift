import AgentAPI
import Bytes
import Foundation
import Linux
import NIOCore
import OpenSSL
import Settings
import TestSupport
import Testing

@testable import RuntimeAgent

@Suite("What the agent survives")
struct EnduranceTests {
    private static let question = #"{"nonce":"\#(String(repeating: "5a", count: 32))"}"#

    @Test(
        "a TPM that vanishes is told of as such, and is used again when it is back",
        .enabled(if: SoftwareTPM.isInstalled))
    func vanishingTPM() async throws {
        let tpm = try SoftwareTPM()
        try await TestAgent.with(tpm: .simulator(port: tpm.port)) { agent in
            func ask() async throws -> TestAgent.Answer {
                try await agent.request(AgentPath.evidence, "-d", Self.question)
            }
            #expect(try await ask().status == 200)
            tpm.vanish()
            let gone = try await ask()
            #expect(gone.status == 503 && gone.code == "unavailable", "\(gone.text)")
            #expect(gone.json?["reference"]?.string?.hasPrefix("A-") == true)
            #expect(try await agent.request(AgentPath.about).status == 200)
            try tpm.comeBack()
            let back = try await ask()
            #expect(back.status == 200, "\(back.text)")
        }
        withExtendedLifetime(tpm) {}
    }

    @Test("connections that send nothing, or a request too slowly, are ended; others go on")
    func slowClients() async throws {
        var deadlines = HTTPDeadlines.Limits()
        // Long enough for an honest client on a busy machine.
        deadlines.first = .seconds(5)
        deadlines.request = .seconds(5)
        deadlines.tick = .milliseconds(50)
        try await TestAgent.with(deadlines: deadlines) { agent in
            let silent = try SlowClient(agent)
            let dripping = try SlowClient(agent)
            try dripping.handshake()
            try dripping.send(
                "POST /v1/evidence HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
            let headless = try SlowClient(agent)
            try headless.handshake()
            try headless.send("GET /v1/about HT")
            #expect(try await agent.request(AgentPath.about).status == 200)
            for client in [silent, dripping, headless] {
                #expect(try await onThread { client.isEnded(within: 60_000) })
            }
            #expect(try await agent.request(AgentPath.about).status == 200)
        }
    }

    @Test("a client that does not read what it asked for is ended, and has cost little")
    func slowReader() async throws {
        var deadlines = HTTPDeadlines.Limits()
        deadlines.write = .milliseconds(500)
        deadlines.tick = .milliseconds(50)
        try await TestAgent.with(deadlines: deadlines) { agent in
            try agent.putIMALog(binary: Array(repeating: 1, count: 64 << 20), ascii: [])
            let client = try SlowClient(agent)
            try client.handshake()
            try client.send("GET /v1/ima/log HTTP/1.1\r\nHost: a\r\n\r\n")
            let gate = agent.agent.parts.streamGate
            for _ in 0..<200 where gate.count == 0 {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(gate.count == 1)
            for _ in 0..<1000 where gate.count > 0 {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(gate.count == 0)
        }
    }

    @Test(
        "what is no TLS, no HTTP, or too long a header is answered or ended, and nothing else stops"
    )
    func garbage() async throws {
        try await TestAgent.with { agent in
            let plain = try SlowClient(agent)
            try plain.sendPlain(Array(repeating: 0x41, count: 1000))
            #expect(try await onThread { plain.isEnded(within: 10_000) })
            for text in [
                "\u{1}\u{2}\u{3}\r\n\r\n", "GET /\(String(repeating: "a", count: 200_000))",
                "GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 20_000))\r\n\r\n",
                "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            ] {
                let client = try SlowClient(agent)
                try client.handshake()
                try? client.send(text)
                let isEnded = try await onThread { client.isEnded(within: 10_000) }
                #expect(isEnded, "\(text.prefix(40).debugDescription)")
            }
            #expect(try await agent.request(AgentPath.about).status == 200)
        }
    }

    @Test("a certificate that is replaced is served to new connections; a bad one changes nothing")
    func replacedCertificate() async throws {
        try await TestAgent.with { agent in
            let identity = agent.agent.parts.identity
            let first = identity.now.tls.certificateDigest
            let path = "\(agent.folder)/root/data/cert.pem"
            try File.writeAtomically(path, Array("nothing".utf8))
            #expect(throws: StartError.self) { _ = try identity.reload() }
            #expect(try await agent.request(AgentPath.about).status == 200)
            try File.remove(path)
            _ = try identity.reload()
            #expect(identity.now.tls.certificateDigest != first)
            let answer = try await agent.request(AgentPath.evidence, "-d", Self.question)
            #expect(answer.status == 200)
        }
    }

    @Test("a place at a gate is free again when its holder is gone, and no address has all of them")
    func gates() throws {
        let gate = Gate(total: 3, perAddress: 2)
        var places = [try gate.enter(from: "a"), try gate.enter(from: "a")]
        #expect(throws: Refusal.self) { _ = try gate.enter(from: "a") }
        places.append(try gate.enter(from: "b"))
        #expect(throws: Refusal.self) { _ = try gate.enter(from: "c") }
        places.removeFirst()
        places.append(try gate.enter(from: "c"))
        #expect(gate.count == 3)
        places.removeAll()
        #expect(gate.count == 0)
    }
}
