import AgentAPI
import Bytes
import Foundation
import Linux
import Logging
import NIOCore
import NetIO
import OpenSSL
import ServiceLifecycle
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
        deadlines.first = .seconds(10)
        deadlines.request = .seconds(10)
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
        deadlines.write = .seconds(5)
        deadlines.tick = .milliseconds(50)
        try await TestAgent.with(deadlines: deadlines) { agent in
            try agent.putIMALog(binary: Array(repeating: 1, count: 64 << 20), ascii: [])
            let client = try SlowClient(agent)
            try client.handshake()
            try client.send("GET /v1/ima/log HTTP/1.1\r\nHost: a\r\n\r\n")
            let gate = agent.agent.parts.streamGate
            for _ in 0..<6000 where gate.count == 0 {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(gate.count == 1)
            for _ in 0..<6000 where gate.count > 0 {
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
            #expect(try await onThread { plain.isEnded(within: 60_000) })
            for text in [
                "\u{1}\u{2}\u{3}\r\n\r\n", "GET /\(String(repeating: "a", count: 200_000))",
                "GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 20_000))\r\n\r\n",
                "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            ] {
                let client = try SlowClient(agent)
                try client.handshake()
                try? client.send(text)
                let isEnded = try await onThread { client.isEnded(within: 60_000) }
                #expect(isEnded, "\(text.prefix(40).debugDescription)")
            }
            #expect(try await agent.request(AgentPath.about).status == 200)
        }
    }

    @Test(
        "a body that is none, or ends before its end, is no fault of the agent's",
        arguments: ["Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Content-Length: 9\r\n\r\n{"])
    func brokenBody(rest: String) async throws {
        var deadlines = HTTPDeadlines.Limits()
        deadlines.request = .seconds(2)
        deadlines.tick = .milliseconds(50)
        try await TestAgent.with(deadlines: deadlines) { agent in
            let client = try SlowClient(agent)
            try client.handshake()
            try client.send("POST \(AgentPath.evidence) HTTP/1.1\r\nHost: a\r\n\(rest)")
            let words = try await onThread { client.lastWords(within: 60_000) }
            #expect(words?.contains("HTTP/1.1 500") == false, "\(words ?? "no end")")
        }
    }

    @Test(
        "that others ask as well is no fault of the agent's, and strangers cannot fill the journal")
    func faults() async throws {
        #expect(!Refusal.busy("").isOurs && Refusal.unavailable("").isOurs)
        try await TestAgent.with(tpm: .simulator(port: 1)) { agent in
            // A reference stands for a line of the journal, and a line may be written each second.
            var answer = try await agent.request("/quote/tpm?nonce=AAAA")
            #expect(answer.text.contains("reference"))
            // As if many had asked an hour from now, so that however slow this machine is nothing comes back.
            let warnings = agent.agent.parts.warnings
            while warnings.take("faults", at: .now() + .hours(1)) {}
            answer = try await agent.request("/quote/tpm?nonce=AAAA")
            #expect(answer.status == 503 && !answer.text.contains("reference"))
        }
    }

    @Test("whoever asks whose files are has one search at a time, and takes no place of a login's")
    func ownersGate() async throws {
        try await TestAgent.with(Self.application) { agent in
            let parts = agent.agent.parts
            let place = try parts.ownersGate.enter(from: "127.0.0.1")
            let second = try await agent.request(AgentPath.owners, "-d", #"{"paths":[]}"#)
            #expect(second.status == 503 && second.code == "busy")
            #expect(second.json?["reference"] == nil)
            let configured = try await agent.request(
                AgentPath.appInit, "-d", #"{"content":"AAAA"}"#, login: true)
            #expect(configured.status == 200, "\(configured.text)")
            withExtendedLifetime(place) {}
        }
    }

    @Test("whoever asks how the application is takes no place of a login's, and hears no digest")
    func applicationStatus() async throws {
        try await TestAgent.with(Self.application) { agent in
            _ = try await agent.request(
                AgentPath.appInit, "-d", #"{"content":"AAAA"}"#, login: true)
            let anonymous = try await agent.request(AgentPath.appStatus)
            #expect(anonymous.status == 200 && anonymous.json?["state"] != nil)
            #expect(anonymous.json?["configurationDigest"] == nil)
            let place = try agent.agent.parts.statusGate.enter(from: "127.0.0.1")
            #expect(try await agent.request(AgentPath.appStatus).code == "busy")
            let owner = try await agent.request(AgentPath.appStatus, login: true)
            #expect(
                owner.json?["configurationDigest"]?.string
                    == OpenSSLHashing().sha256([0, 0, 0]).hex)
            withExtendedLifetime(place) {}
            #expect(agent.agent.parts.snapshots.excludes("\(agent.folder)/secrets/app.conf"))
        }
    }

    private static func application(_ settings: inout AgentSettings, _ folder: String) {
        settings.app = AgentSettings.App(
            serviceType: .standalone, serviceName: "/bin/true", storage: "\(folder)/secrets",
            allowsUnencrypted: true)
    }

    @Test("an answer is good enough for its time, also for one who asked before it was given")
    func remembered() {
        let remembered = Remembered<Int>(freshness: 10)
        #expect(remembered.value(at: 0) == nil)
        remembered.remember(7, at: 100)
        #expect([0, 99, 100, 109].map { remembered.value(at: $0) } == [7, 7, 7, 7])
        #expect(remembered.value(at: 110) == nil)
        remembered.forget()
        #expect(remembered.value(at: 100) == nil)
    }

    @Test("a process that is to end does, whatever still goes on")
    func ending() async throws {
        let (left, told) = AsyncStream.makeStream(of: Void.self)
        let ending = Ending(patience: 1) { told.finish() }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [ending], gracefulShutdownSignals: [],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        async let running: Void = group.run()
        await group.triggerGracefulShutdown()
        for await _ in left {}
        try await running
    }

    @Test(
        "a TPM is expected where the config names one, the launch had one, or the machine shows one"
    )
    func expectedTPM() throws {
        var settings = AgentSettings()
        #expect(!settings.expectsTPM(nil, signs: ["/no/such/file"]))
        #expect(settings.expectsTPM(nil, signs: ["/no/such/file", "/dev/null"]))
        settings.tpm = .none
        #expect(!settings.expectsTPM(nil, signs: ["/dev/null"]))
        settings.tpm = .file("/dev/no-such-tpm")
        #expect(settings.expectsTPM(nil, signs: []))
    }

    @Test(
        "no evidence comes without the quote of a TPM that the config names, even one that never was"
    )
    func missingTPM() async throws {
        try await TestAgent.with(tpm: .file("/dev/no-such-tpm")) { agent in
            let answer = try await agent.request(AgentPath.evidence, "-d", Self.question)
            #expect(answer.status == 503 && answer.code == "unavailable", "\(answer.text)")
            let about = try await agent.request(AgentPath.about)
            #expect(about.text.contains("no quote of the TPM"))
        }
    }

    @Test(
        "what the configuration names and nobody can use is told as such, started or only checked")
    func unusable() async throws {
        try await TestAgent.with { agent in
            var settings = agent.agent.settings
            try File.writeAtomically(settings.gateConfiguration, Array("nothing".utf8))
            #expect { _ = try Agent(settings) } throws: { Self.isUnusable($0) }
            settings.gateConfiguration = "/no/such/file"
            try File.writeAtomically(settings.certificate, Array("nothing".utf8))
            #expect { try Agent.check(settings) } throws: { Self.isUnusable($0) }
        }
    }

    private static func isUnusable(_ error: any Error) -> Bool {
        (error as? StartError)?.kind == .unusable
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
        // One customer has a whole /64.
        let one = try gate.enter(from: "2001:db8:1:2::1")
        let other = try gate.enter(from: "2001:db8:1:2::2")
        #expect(throws: Refusal.self) { _ = try gate.enter(from: "2001:db8:1:2:3::3") }
        withExtendedLifetime((one, other)) {}
    }
}
