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

/// What owners do to running VMs, against an agent over real TLS and the admin socket of a broker.
@Suite("Update and control")
struct UpdateCommandTests {
    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }

    /// A broker that knows web-1, with the snapshot of `fixture` registered.
    private func broker(
        _ fixture: RuntimeFixture, window: WindowRecord? = nil
    ) throws -> StubBroker {
        let broker = try StubBroker(in: fixture.folder)
        let old = fixture.agent.state.withLock { $0.snapshot }
        let snapshot = SnapshotRecord(
            vm: "web-1", digest: "00", size: Int64(old.count), files: 3, registered: 0)
        let record = RuntimeRecord(
            vm: "web-1", state: .trusted, snapshot: snapshot, window: window)
        let answers = [
            "GET /v1/vms/web-1/runtime": try text(record),
            "GET /v1/vms/web-1/snapshot/file": String(decoding: old, as: UTF8.self),
            "PUT /v1/vms/web-1/snapshot": try text(snapshot),
            "POST /v1/vms/web-1/update/begin": try text(record),
            "POST /v1/vms/web-1/update/end": try text(record),
            "POST /v1/vms/web-1/events": "{}",
        ]
        broker.state.withLock { $0.answers = answers }
        return broker
    }

    private func end(
        _ fixture: RuntimeFixture, _ broker: StubBroker, _ more: [String]
    ) throws -> Ended {
        try fixture.run(
            [
                "update", "end", "web-1", "--url", fixture.agent.url, "--root", "root.der",
                "--token-file", "token", "--socket", broker.socket,
            ] + more)
    }

    private let window = WindowRecord(opened: 0, expires: 4_000_000_000, reason: "security")

    @Test("an approved update is shown by package, registered, and closes the window")
    func approved() throws {
        let fixture = try RuntimeFixture()
        let broker = try broker(fixture, window: window)
        defer { broker.stop() }
        let new = fixture.snapshot([("/opt/tool", [UInt8](repeating: 9, count: 32))])
        fixture.agent.state.withLock {
            $0.snapshot = new
            $0.owners = [.init(path: "/opt/tool")]
        }
        let ended = try end(fixture, broker, ["--yes"])
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        #expect(ended.output.contains("    added    /opt/tool  no package"))
        #expect(try fixture.read("web-1.snapshot") == new)
        let requests = broker.state.withLock { $0.requests.map { $0.prefix { $0 != "?" } } }
        #expect(
            requests.suffix(2)
                == ["PUT /v1/vms/web-1/snapshot", "POST /v1/vms/web-1/update/end"])
    }

    @Test("without approval nothing is registered and nothing is left behind")
    func notApproved() throws {
        let fixture = try RuntimeFixture()
        let broker = try broker(fixture, window: window)
        defer { broker.stop() }
        let ended = try end(fixture, broker, [])
        #expect(ended.status == 2)
        #expect(ended.errors.contains("say it again with --yes"))
        #expect(!FileManager.default.fileExists(atPath: fixture.path("web-1.snapshot")))
        #expect(!broker.state.withLock { $0.requests.contains { $0.hasPrefix("PUT") } })
    }

    @Test("an update without a window is refused before anything is asked of the VM")
    func noWindow() throws {
        let fixture = try RuntimeFixture()
        let broker = try broker(fixture)
        defer { broker.stop() }
        #expect(try end(fixture, broker, ["--yes"]).status == 2)
        #expect(fixture.agent.state.withLock { $0.requests }.isEmpty)
    }

    @Test("begin, abort, resume and tickets are posted to the broker")
    func posts() throws {
        let fixture = try RuntimeFixture()
        let broker = try broker(fixture)
        defer { broker.stop() }
        let record = try #require(broker.state.withLock { $0.answers["GET /v1/vms/web-1/runtime"] })
        broker.state.withLock {
            $0.answers["POST /v1/vms/web-1/resume"] = record
            $0.answers["POST /v1/vms/web-1/expect-reboot"] = record
        }
        let socket = ["--socket", broker.socket]
        let commands = [
            ["update", "begin", "web-1", "--reason", "r", "--for", "2h"],
            ["update", "abort", "web-1"], ["vm", "resume", "web-1", "--reason", "r"],
            ["vm", "expect-reboot", "web-1", "--reason", "r", "--within", "30m"],
            ["vm", "runtime", "web-1"],
        ]
        for command in commands {
            let ended = try fixture.run(command + socket, insecure: false)
            #expect(ended.status == 0, "\(command): \(ended.errors)")
        }
        #expect(
            broker.state.withLock { $0.requests } == [
                "POST /v1/vms/web-1/update/begin", "POST /v1/vms/web-1/update/end",
                "POST /v1/vms/web-1/resume", "POST /v1/vms/web-1/expect-reboot",
                "GET /v1/vms/web-1/runtime",
            ])
        for wrong in [
            ["update", "begin", "web-1"], ["vm", "resume", "web-1"],
            ["update", "begin", "web-1", "--reason", "r", "--for", "30s"],
            ["vm", "expect-reboot", "web-1", "--reason", "r", "--within", "8d"],
        ] {
            #expect(try fixture.run(wrong + socket, insecure: false).status == 64, "\(wrong)")
        }
        let empty = ["vm", "resume", "web-1", "--reason", ""]
        #expect(try fixture.run(empty + socket, insecure: false).status == 2)
    }

    @Test("a configuration arrives byte by byte, and its digest is told to the ledger")
    func appInit() throws {
        let fixture = try RuntimeFixture()
        let broker = try broker(fixture)
        defer { broker.stop() }
        let content = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        try fixture.write("app.conf", content)
        let ended = try fixture.run([
            "app", "init", "--configuration", "app.conf", "--url", fixture.agent.url,
            "--token-file", "token", "--socket", broker.socket,
        ])
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(fixture.agent.state.withLock { $0.configuration } == content)
        #expect(ended.output.contains("in the ledger of web-1"))
        #expect(
            broker.state.withLock { $0.requests.last }
                == "POST /v1/vms/web-1/events?kind=app%20init")
    }

    @Test("an application is controlled without a broker too, and that is said")
    func appControl() throws {
        let fixture = try RuntimeFixture()
        let login = ["--url", fixture.agent.url, "--token-file", "token"]
        let stopped = try fixture.run(["app", "stop"] + login)
        #expect(stopped.status == 0, "\(stopped.errors)")
        #expect(stopped.output.hasPrefix("web (systemd): stopped"))
        #expect(stopped.output.contains("not in the ledger: no broker that knows web-1"))
        #expect(try fixture.run(["app", "status"] + login).status == 1)
        #expect(try fixture.run(["app", "stop", "--url", fixture.agent.url]).status == 2)
    }

    @Test("reports are listed, and one is explained with what did not hold")
    func reports() throws {
        let fixture = try RuntimeFixture()
        let broker = try broker(fixture)
        defer { broker.stop() }
        let report = ReportRecord(
            reference: "R-00012", vm: "web-1", time: 1_790_000_000, from: "10.0.2.15",
            verdict: "failed", refusedChecks: ["snapshot"], entries: 4, quotedEntries: 4,
            findings: [],
            problems: [
                ReportProblem(check: "snapshot", index: 3, path: "/tmp/evil", detail: "unknown")
            ])
        let (one, list) = (try text(report), try text(ReportList(reports: [report])))
        broker.state.withLock {
            $0.answers["GET /v1/vms/web-1/reports"] = list
            $0.answers["GET /v1/reports/R-00012"] = one
        }
        let socket = ["--socket", broker.socket]
        let listed = try fixture.run(["reports", "web-1"] + socket, insecure: false)
        #expect(listed.status == 0)
        #expect(listed.output.contains("R-00012"))
        let why = try fixture.run(["why", "R-00012"] + socket, insecure: false)
        #expect(why.status == 1)
        #expect(why.output.hasPrefix("R-00012 of web-1: failed: snapshot."))
        #expect(why.output.contains("/tmp/evil"))
    }
}
