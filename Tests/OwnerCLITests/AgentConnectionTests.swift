import Bytes
import Curl
import Foundation
import OpenSSL
import Synchronization
import TestSupport
import Testing

@testable import OwnerCLI

/// Whom `bootgate` believes for TLS, and as whom it comes.
@Suite("Connections to agents and applications")
struct AgentConnectionTests {
    @Test("an authority of one's own is believed for the name in the URL, and another is not")
    func authorities() throws {
        let fixture = try RuntimeFixture()
        let other = try RuntimeFixture()
        try fixture.write("ca.pem", fixture.agent.certificate.pem)
        try fixture.write("other.pem", other.agent.certificate.pem)
        func status(_ ca: String, host: String = "localhost") throws -> Ended {
            let url = "https://\(host):\(fixture.agent.port)"
            return try fixture.run(["app", "status", "--url", url, "--ca", ca], insecure: false)
        }
        let good = try status("ca.pem")
        #expect(good.status == 0, "\(good.errors)")
        let bad = try status("other.pem")
        #expect(bad.status == 1, "\(bad.errors)")
        #expect(bad.errors.contains("TLS with localhost"))
        let otherName = try status("ca.pem", host: "127.0.0.1")
        #expect(otherName.status == 1, "\(otherName.errors)")
        let none = try status("none.pem")
        #expect(none.status == 2)
        #expect(none.errors.contains("--ca: none.pem"))
    }

    @Test("a client certificate is a login where the agent knows its key")
    func clientCertificate() throws {
        let fixture = try RuntimeFixture()
        let client = try RuntimeFixture()
        try fixture.write("client.pem", client.agent.certificate.pem)
        try fixture.write("client.key", client.agent.privateKeyPEM)
        func stop(_ options: [String]) throws -> Ended {
            try fixture.app(["stop"] + options)
        }
        let options = ["--client-certificate", "client.pem", "--client-key", "client.key"]
        let stranger = try stop(options)
        #expect(stranger.status == 2, "\(stranger.errors)")
        let key = client.agent.certificate.subjectPublicKeyInfoDigest
        fixture.agent.state.withLock { $0.clientKey = key }
        let known = try stop(options)
        #expect(known.status == 0, "\(known.errors)")
        #expect(try stop([]).status == 2)
        #expect(try stop(["--client-certificate", "client.pem"]).status == 64)
        let noKey = try stop(["--client-certificate", "client.pem", "--client-key", "none.key"])
        #expect(noKey.errors.contains("--client-key: none.key"))
    }

    @Test("what only asks shows no token")
    func asking() throws {
        let fixture = try RuntimeFixture()
        #expect(try fixture.verify(["--token-file", "token"]).status == 0)
        #expect(try fixture.app(["status", "--token-file", "token"]).status == 0)
        let sent = fixture.agent.state.withLock { $0.authorizations }
        #expect(sent.count == 3)
        #expect(sent.allSatisfy { $0 == nil })
    }

    @Test(
        "neither login nor configuration goes to whoever answers", arguments: ["init", "stop"])
    func anybody(_ action: String) throws {
        let fixture = try RuntimeFixture()
        try fixture.write("app.conf", Array("secret".utf8))
        let more = action == "init" ? ["--conf", "app.conf"] : []
        let ended = try fixture.run(
            ["app", action, "--url", fixture.agent.url, "--token-file", "token"] + more)
        #expect(ended.status == 64)
        #expect(ended.errors.contains("the login would go to whoever answers"))
        #expect(ended.errors.contains("Next: say --ca FILE"))
        #expect(fixture.agent.state.withLock { $0.requests }.isEmpty)
    }

    @Test("a snapshot's login goes to no agent whose evidence names another certificate")
    func otherCertificate() throws {
        let fixture = try RuntimeFixture()
        fixture.agent.state.withLock {
            $0.otherCertificate = FixedBytes([UInt8](repeating: 1, count: 32))
        }
        let take = [
            "snapshot", "--url", fixture.agent.url, "--root", "root.der", "--token-file", "token",
        ]
        for command in [take, take + ["--cancel"]] {
            let ended = try fixture.run(command)
            #expect(ended.status == 1, "\(ended.errors)")
            #expect(
                ended.errors.contains(
                    "the login was not sent to localhost:\(fixture.agent.port): \"TLS certificate\""
                ),
                "\(ended.errors)")
        }
        fixture.agent.state.withLock { state in
            #expect(state.requests == ["POST /v1/evidence", "POST /v1/evidence"])
            #expect(state.authorizations.allSatisfy { $0 == nil })
        }
    }

    @Test("a snapshot's login goes to no agent whose evidence no vendor signed, or no policy likes")
    func otherVM() throws {
        let fixture = try RuntimeFixture()
        try fixture.write(
            "web.toml",
            Array(
                """
                name = "web"
                [[measurement]]
                label = "image"
                sha384 = "\(String(repeating: "b4", count: 48))"
                covers = ["firmware", "kernel", "initramfs", "command line"]
                """.utf8))
        let take = ["snapshot", "--url", fixture.agent.url, "--token-file", "token"]
        for (more, check) in [
            ([], "root"), (["--root", "root.der", "--policy", "web.toml"], "minimum TCB"),
        ] {
            let ended = try fixture.run(take + more)
            #expect(ended.status == 1, "\(ended.errors)")
            #expect(ended.errors.contains(": \"\(check)\": expected "), "\(ended.errors)")
        }
        let sent = fixture.agent.state.withLock { $0.authorizations }
        #expect(sent.count == 2)
        #expect(sent.allSatisfy { $0 == nil })
    }

    @Test("a login goes over no connection but one with the certificate that was vouched for")
    func replacedConnection() throws {
        let fixture = try RuntimeFixture()
        let address = try ServerAddress(url: fixture.agent.url, defaultPort: 5555, "--url")
        let client = try unsafe AgentClient(
            address, trust: .none, login: .init(), token: SecretBytes(count: 0) { _ in })
        client.believe(FixedBytes())
        let failure = #expect(throws: Failure.self) { try client.startSnapshot() }
        #expect(failure?.status == .refused)
        #expect(failure?.message.contains("serves another certificate") == true)
        #expect(fixture.agent.state.withLock { $0.requests }.isEmpty)
        client.believe(OpenSSLHashing().sha256(fixture.agent.certificate.der))
        _ = try client.appStatus()
        let other = #expect(throws: Failure.self) { try client.startSnapshot() }
        #expect(other?.message.contains("a login is needed") == true)
    }

    @Test("an application that speaks TLS 1.2 alone is looked at, too")
    func olderTLS() throws {
        let fixture = try RuntimeFixture()
        let other = try RuntimeFixture()
        for (agent, verdict) in [(fixture.agent, "ok"), (other.agent, "REFUSED")] {
            try fixture.write("app.pem", agent.certificate.pem)
            try fixture.write("app.key", agent.privateKeyPEM)
            let server = try OldServer(in: fixture.folder)
            defer { server.stop() }
            let ended = try fixture.verify(["--application", "localhost:\(server.port)"])
            #expect(ended.output.contains("applications       \(verdict)"), "\(ended.output)")
            #expect(ended.status == (verdict == "ok" ? 0 : 1))
        }
    }
}

/// OpenSSL's own server, with TLS 1.2 as its newest version.
private final class OldServer {
    let port: Int
    private let process = Process()

    init(in folder: TestFolder) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "s_server", "-accept", "0", "-tls1_2", "-cert", "app.pem", "-key", "app.key",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = Pipe()
        process.standardError = FileHandle.nullDevice
        try start(process)
        // Such as "ACCEPT 0.0.0.0:41661".
        var said = ""
        while said.firstRange(of: /ACCEPT .*:[0-9]+\n/) == nil {
            let part = output.fileHandleForReading.availableData
            try #require(!part.isEmpty, "openssl s_server ended: \(said)")
            said += String(decoding: part, as: UTF8.self)
        }
        let digits = said.split(separator: ":").last?.prefix { $0.isNumber }
        port = try #require(digits.flatMap { Int($0) })
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }
}
