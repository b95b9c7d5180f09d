import AdminAPI
import AgentAPI
import Bytes
import Evidence
import Foundation
import OpenSSL
import Synchronization
import TestSupport
import Testing

@testable import OwnerCLI

/// `bootgate snapshot`, against an agent over real TLS.
@Suite("Snapshot")
struct SnapshotCommandTests {
    private func take(_ fixture: RuntimeFixture, _ more: [String] = []) throws -> Ended {
        try fixture.run(
            [
                "snapshot", "--url", fixture.agent.url, "--root", "root.der", "--token-file",
                "token",
            ] + more)
    }

    private func mode(_ fixture: RuntimeFixture, _ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: fixture.path(name))[.posixPermissions]
            as? Int
    }

    @Test("the file is verified, kept and signed with a key that was made for it")
    func keeps() throws {
        let fixture = try RuntimeFixture()
        let ended = try take(fixture, ["--no-register"])
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        let file = try fixture.read("cosmian_vm.snapshot")
        #expect(file == fixture.agent.state.withLock { $0.snapshot })
        #expect(ended.output.contains("made just now"))
        #expect(
            ended.output.hasSuffix(
                "Next: `bootgate verify --snapshot ./cosmian_vm.snapshot --url "
                    + "\(fixture.agent.url) --allow-insecure-tls`.\n"), "\(ended.output)")
        let modes = try ["", ".sig"].map { try mode(fixture, "cosmian_vm.snapshot\($0)") }
        #expect(modes[0] == modes[1])
        #expect(fixture.agent.state.withLock { $0.connections } == 1)
        let key = try OwnerKey(fixture.path("config/bootgate/snapshot.key"))
        let holds = try key.publicKey().verify(
            derSignature: fixture.read("cosmian_vm.snapshot.sig"), over: file,
            scheme: .ecdsa(.sha256))
        #expect(holds)
        #expect(try mode(fixture, "config/bootgate/snapshot.key") == 0o600)
        let again = try take(fixture, ["--no-register"])
        #expect(again.status == 0)
        #expect(!again.output.contains("made just now"))
        let verified = try fixture.run([
            "verify", "-s", "cosmian_vm.snapshot", "--url", fixture.agent.url, "--root",
            "root.der",
        ])
        #expect(verified.status == 0, "\(verified.output)")
        #expect(!verified.output.contains("not checked: snapshot signature"))
    }

    @Test("an interrupt in the midst of the download leaves nothing behind")
    func interrupted() throws {
        let fixture = try RuntimeFixture()
        fixture.agent.state.withLock { $0.withheld = 10 }
        func names() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path).sorted()
        }
        let before = try names()
        let ended = try fixture.run(
            [
                "snapshot", "--url", fixture.agent.url, "--root", "root.der", "--token-file",
                "token",
            ],
            endedWhen: {
                try names().contains { $0.hasSuffix(".new") }
                    && fixture.agent.state.withLock {
                        $0.requests.contains("GET \(AgentPath.snapshotFile)")
                    }
            })
        #expect(ended.status == SIGTERM)
        #expect(try names() == before)
    }

    @Test("a snapshot that lacks what runs is not kept")
    func incomplete() throws {
        let fixture = try RuntimeFixture()
        fixture.measure("/usr/bin/late", 0xee)
        let ended = try take(fixture, ["--no-register"])
        #expect(ended.status == 1, "\(ended.errors)")
        #expect(ended.output.contains("/usr/bin/late"))
        #expect(
            ended.errors == "No snapshot was written; ./cosmian_vm.snapshot is as it was.\n")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path).sorted()
                == ["agent.pem", "root.der", "token"])
    }

    @Test("a file that the evidence does not name is not kept")
    func otherFile() throws {
        let fixture = try RuntimeFixture()
        let other = fixture.snapshot([("/opt/other", [UInt8](repeating: 1, count: 32))])
        fixture.agent.state.withLock {
            $0.answers["/v1/snapshot/file"] = (200, String(decoding: other, as: UTF8.self))
        }
        let ended = try take(fixture, ["--no-register"])
        #expect(ended.status == 1)
        #expect(!FileManager.default.fileExists(atPath: fixture.path("cosmian_vm.snapshot")))
    }

    @Test("without a login nothing is begun, and it is said what to give")
    func login() throws {
        let fixture = try RuntimeFixture()
        let ended = try fixture.run([
            "snapshot", "--url", fixture.agent.url, "--root", "root.der",
        ])
        #expect(ended.status == 2)
        #expect(ended.errors.contains("Next: give --token-file"))
    }

    @Test("the token goes to the agent and to nowhere that others see")
    func token() throws {
        let fixture = try RuntimeFixture()
        #expect(try take(fixture, ["--no-register"]).status == 0)
        let sent = fixture.agent.state.withLock { $0.authorizations.compactMap { $0 } }
        #expect(sent == ["Bearer secret-token"])
        try fixture.write("token", Array("two words\n".utf8))
        #expect(try take(fixture).status == 2)
    }

    @Test("what cannot be written or signed with is told before anything is asked of the VM")
    func unusable() throws {
        let fixture = try RuntimeFixture()
        for (options, field) in [
            (["--output", "none/web-1.snapshot"], "--output: "), (["--key", "none"], "--key: "),
        ] {
            let ended = try take(fixture, options)
            #expect(ended.status == 2)
            #expect(ended.errors.hasPrefix("bootgate: \(field)"), "\(ended.errors)")
        }
        #expect(fixture.agent.state.withLock { $0.requests }.isEmpty)
    }

    @Test("a snapshot of another VM than the one named does not replace a file")
    func otherVM() throws {
        let fixture = try RuntimeFixture()
        try fixture.write("cosmian_vm.snapshot", [1])
        let ended = try take(fixture, ["--vm", "web-2"])
        #expect(ended.status == 2)
        #expect(
            ended.errors.contains(
                "the agent at localhost:\(fixture.agent.port) is web-1, not web-2"),
            "\(ended.errors)")
        #expect(try fixture.read("cosmian_vm.snapshot") == [1])
    }

    @Test("a snapshot that nobody waits for is ended")
    func cancels() throws {
        let fixture = try RuntimeFixture()
        let ended = try take(fixture, ["--cancel"])
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(
            fixture.agent.state.withLock { $0.requests }
                == ["POST /v1/evidence", "DELETE /v1/snapshot"])
    }

    @Test("a busy agent is said with what to do")
    func busy() throws {
        let fixture = try RuntimeFixture()
        fixture.agent.state.withLock {
            $0.answers["/v1/snapshot"] = (
                409, #"{"code":"busy","message":"a snapshot is being made"}"#
            )
        }
        let ended = try take(fixture)
        #expect(ended.status == 69)
        #expect(ended.errors.contains("a snapshot is being made"))
        #expect(ended.errors.contains("Next: wait until the other one is done"))
    }

    @Test("--cosmian writes what cosmian_vm reads, and signs that")
    func cosmian() throws {
        let fixture = try RuntimeFixture()
        let ended = try take(fixture, ["--cosmian", "--output", "old.snapshot"])
        #expect(ended.status == 0, "\(ended.errors)")
        let file = try fixture.read("old.snapshot")
        #expect(try Snapshot(parsing: file).details == nil)
        let key = try OwnerKey(fixture.path("config/bootgate/snapshot.key"))
        let holds = try key.publicKey().verify(
            derSignature: fixture.read("old.snapshot.sig"), over: file, scheme: .ecdsa(.sha256))
        #expect(holds)
    }

    @Test(
        "it is registered with the broker for the VM that the evidence names, signature and key with it"
    )
    func registers() throws {
        let fixture = try RuntimeFixture()
        let broker = try StubBroker(in: fixture.folder)
        defer { broker.stop() }
        let record = SnapshotRecord(vm: "web-1", digest: "00", size: 1, files: 1, registered: 0)
        let text = String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
        broker.state.withLock { $0.fixedAnswer = (200, text) }
        let ended = try take(fixture, ["--socket", broker.socket])
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.output.contains("registered  for web-1"))
        let request = try #require(broker.state.withLock { $0.requests.last })
        let signature = Hex.encode(try fixture.read("cosmian_vm.snapshot.sig"))
        #expect(request.hasPrefix("PUT /v1/vms/web-1/snapshot?signature=\(signature)&key=3059"))
        #expect(!request.contains("replace_signer"))
        #expect(try take(fixture, ["--socket", broker.socket, "--replace-signer"]).status == 0)
        let replacing = try #require(broker.state.withLock { $0.requests.last })
        #expect(replacing.hasSuffix("&replace_signer=1"))
    }

    @Test("a broker that cannot be asked leaves the file, and is no success")
    func unregistered() throws {
        let fixture = try RuntimeFixture()
        let ended = try take(fixture)
        #expect(ended.status == 69)
        #expect(ended.errors.contains("is written and signed, but not registered"))
        #expect(FileManager.default.fileExists(atPath: fixture.path("cosmian_vm.snapshot.sig")))
    }
}
