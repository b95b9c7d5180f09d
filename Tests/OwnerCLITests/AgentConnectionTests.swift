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
            try fixture.run(["app", "stop", "--url", fixture.agent.url] + options)
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
        try process.run()
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
