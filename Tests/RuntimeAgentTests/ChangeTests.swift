import AgentAPI
import Bytes
import Foundation
import Linux
import OpenSSL
import RuntimeCore
import Settings
import Testing

@testable import RuntimeAgent

@Suite("Who may change something")
struct ChangeTests {
    private static let calls: [(method: String, path: String)] = [
        ("POST", AgentPath.snapshot), ("DELETE", AgentPath.snapshot),
        ("POST", AgentPath.appInit), ("POST", AgentPath.app("start")),
        ("POST", AgentPath.app("stop")), ("POST", AgentPath.app("restart")),
        ("DELETE", "/snapshot"), ("GET", "/snapshot"), ("POST", "/app/init"),
        ("POST", "/app/restart"),
    ]

    @Test("no call that changes something is done without a login, or with a wrong one")
    func refused() async throws {
        try await TestAgent.with { agent in
            for (method, path) in Self.calls {
                let without = try await agent.request(path, "-X", method)
                #expect(without.status == 401, "\(method) \(path)")
                #expect(without.headers.contains("WWW-Authenticate: Bearer"))
                for header in [
                    "Bearer wrong", "Bearer", "Basic \(TestAgent.token)", TestAgent.token,
                    "Bearer  \(TestAgent.token)", "Bearer \(TestAgent.token)x",
                ] {
                    let answer = try await agent.request(
                        path, "-X", method, "-H", "Authorization: \(header)")
                    #expect(answer.status == 401, "\(method) \(path) with \(header)")
                }
            }
        }
    }

    @Test("a client certificate whose key is pinned may; any other certificate may not")
    func clientKeys() async throws {
        let folder = NSTemporaryDirectory() + "bootgate-client-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let pinned = try Self.client("pinned", in: folder)
        _ = try Self.client("other", in: folder)
        try await TestAgent.with({ settings, _ in
            settings.tokens = []
            settings.clientKeys = [pinned]
        }) { agent in
            func delete(_ name: String?) async throws -> TestAgent.Answer {
                guard let name else {
                    return try await agent.request("/v1/snapshot", "-X", "DELETE")
                }
                return try await agent.request(
                    "/v1/snapshot", "-X", "DELETE", "--cert", "\(folder)/\(name).pem", "--key",
                    "\(folder)/\(name).key")
            }
            let answers = [
                try await delete("pinned"), try await delete("other"), try await delete(nil),
            ]
            #expect(answers.map(\.status) == [200, 401, 401])
        }
    }

    @Test("an application's configuration is written as it came, for root alone")
    func application() async throws {
        try await TestAgent.with({ settings, folder in
            settings.app = AgentSettings.App(
                serviceType: .standalone, serviceName: "/bin/true", storage: "data/app",
                allowsUnencrypted: true)
        }) { agent in
            let content = Array("password = \"a/b+c\"\n".utf8) + [0, 0xff]
            let body = "{\"content\":\"\(Base64.encode(content))\"}"
            let answer = try await agent.request(AgentPath.appInit, "-d", body, login: true)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(
                answer.json?["configurationDigest"]?.string == OpenSSLHashing().sha256(content).hex)
            let path = "\(agent.folder)/root/data/app/app.conf"
            #expect(try File.read(path, atMost: 1000) == content)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            #expect(try await agent.request("/app/init", "-d", body, login: true).text == "null")
            #expect(
                try await agent.request("/app/restart", "-X", "POST", login: true).text == "null")
            let escaped = body.replacing("/", with: #"\/"#)
            #expect(escaped != body)
            #expect(
                try await agent.request(AgentPath.appInit, "-d", escaped, login: true).status == 200
            )
            #expect(try File.read(path, atMost: 1000) == content)
            for bad in [
                "{}", #"{"content":"*"}"#, body + "x", #"{"content":""#, #"{"content":"\u002B"}"#,
                #"{"content":"AA\\AA"}"#, #"{"content":"AAAA\"}"#,
            ] {
                let refused = try await agent.request(AgentPath.appInit, "-d", bad, login: true)
                #expect(refused.status == 400, "\(bad)")
            }
        }
    }

    @Test("a configuration of 1 MiB fits, however its slashes are written")
    func largest() throws {
        let content = [UInt8](repeating: 0xff, count: AppControl.configurationLimit)
        let text = Base64.encode(content).replacing("/", with: #"\/"#)
        let body = Array("{\"content\": \"\(text)\"}".utf8)
        #expect(body.count <= OwnInterface.applicationLimit)
        #expect(try JSON.content(of: body) == content)
    }

    @Test("a configuration of more than 1 MiB is refused, and the connection ends")
    func tooLarge() async throws {
        try await TestAgent.with({ settings, folder in
            settings.app = AgentSettings.App(
                serviceType: .standalone, serviceName: "/bin/true", storage: "data/app",
                allowsUnencrypted: true)
            try Data(count: 3 << 20).write(to: URL(fileURLWithPath: "\(folder)/large"))
        }) { agent in
            let answer = try await agent.request(
                AgentPath.appInit, "--data-binary", "@\(agent.folder)/large", login: true)
            #expect(answer.status == 413 && answer.code == "tooLarge")
            #expect(answer.headers.lowercased().contains("connection: close"))
            #expect(try await agent.request(AgentPath.about).status == 200)
        }
    }

    /// Makes a key and a certificate that only its owner vouches for; gives the key's digest.
    private static func client(_ name: String, in folder: String) throws -> FixedBytes<32> {
        let key = try SigningKey.generate(.p256)
        let subject = CertificateTemplate.Name(commonName: name)
        let template = CertificateTemplate(
            subject: subject, issuer: subject, serial: [1], notBefore: 0,
            notAfter: 4_000_000_000, signature: .ecdsaSHA256)
        let certificate = try X509Certificate(
            der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
        try File.writeAtomically("\(folder)/\(name).pem", certificate.pem)
        try File.writeSecretAtomically("\(folder)/\(name).key", key.pem())
        return certificate.subjectPublicKeyInfoDigest
    }
}
