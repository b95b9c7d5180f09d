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
            requests.suffix(3)
                == [
                    "POST /v1/vms/web-1/events", "PUT /v1/vms/web-1/snapshot",
                    "POST /v1/vms/web-1/update/end",
                ])
        #expect(
            broker.state.withLock { $0.requests }.contains {
                $0.hasSuffix("/events?kind=update%20reviewed")
            })
    }

    @Test("with --json an approved update is one object, and an unapproved one is not begun")
    func json() throws {
        struct Answer: Decodable {
            struct Registered: Decodable {
                let vm: String
            }

            let vm: String
            let groups: [[String: String]]
            let registered: Registered
            let window: String
        }

        let fixture = try RuntimeFixture()
        let broker = try broker(fixture, window: window)
        defer { broker.stop() }
        let asked = try end(fixture, broker, ["--json"])
        #expect(asked.status == 64)
        #expect(fixture.agent.state.withLock { $0.requests }.isEmpty)
        let ended = try end(fixture, broker, ["--json", "--yes"])
        #expect(ended.status == 0, "\(ended.errors)")
        let answer = try JSONDecoder().decode(Answer.self, from: Data(ended.output.utf8))
        #expect(answer.vm == "web-1" && answer.registered.vm == "web-1")
        #expect(answer.groups.isEmpty && answer.window == "closed")
    }

    @Test("another VM's agent changes neither the file nor the broker")
    func otherVM() throws {
        let fixture = try RuntimeFixture()
        let broker = try broker(fixture, window: window)
        defer { broker.stop() }
        fixture.agent.state.withLock { $0.vm.statement.vm = "web-2" }
        let ended = try end(fixture, broker, ["--yes"])
        #expect(ended.status == 2)
        #expect(ended.errors.contains("is web-2, not web-1"), "\(ended.errors)")
        #expect(!FileManager.default.fileExists(atPath: fixture.path("web-1.snapshot")))
        #expect(!broker.state.withLock { $0.requests.contains { $0.hasPrefix("PUT") } })
    }

    @Test("without --url the agent is asked at the host that the registered snapshot names")
    func withoutURL() throws {
        let fixture = try RuntimeFixture()
        let broker = try broker(fixture, window: window)
        defer { broker.stop() }
        let ended = try fixture.run([
            "update", "end", "web-1", "--yes", "--socket", broker.socket,
        ])
        #expect(ended.status == 69)
        #expect(ended.errors.contains("no agent at web-1.example:5555"), "\(ended.errors)")
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
        let ended = try fixture.app([
            "init", "-c", "app.conf", "--token-file", "token", "--socket", broker.socket,
        ])
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(fixture.agent.state.withLock { $0.configuration } == content)
        #expect(ended.output.contains("in the ledger of web-1"))
        #expect(
            broker.state.withLock { $0.requests.last }
                == "POST /v1/vms/web-1/events?kind=app%20init")
    }

    @Test("an application that does not run with its configuration is no success, and that is told")
    func appFails() throws {
        let fixture = try RuntimeFixture()
        fixture.agent.state.withLock { $0.app.state = "failed" }
        try fixture.write("app.conf", [1])
        let ended = try fixture.app([
            "init", "--conf", "app.conf", "--token-file", "token", "--json",
        ])
        #expect(ended.status == 1)
        let answer = try JSONDecoder().decode(
            [String: String].self, from: Data(ended.output.utf8))
        #expect(answer["state"] == "failed")
        #expect(answer["ledger"]?.hasPrefix("NOT in the ledger: ") == true)
        #expect(answer["next"]?.hasPrefix("see in the VM why") == true)
    }

    @Test("what was done stays done where the ledger takes nothing, and a bad name does nothing")
    func ledger() throws {
        let fixture = try RuntimeFixture()
        let broker = try broker(fixture)
        defer { broker.stop() }
        broker.state.withLock { $0.answers["POST /v1/vms/web-1/events"] = nil }
        let stop = ["stop", "--token-file", "token", "--socket", broker.socket]
        let bad = try fixture.app(stop + ["--vm", "Web 1"])
        #expect(bad.status == 2)
        #expect(fixture.agent.state.withLock { $0.requests }.isEmpty)
        let ended = try fixture.app(stop)
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.output.contains("  told           NOT in the ledger: "))
        #expect(ended.output.contains("\nNext: "))
    }

    @Test("an application is controlled without a broker too, and that is said")
    func appControl() throws {
        let fixture = try RuntimeFixture()
        let stopped = try fixture.app(["stop", "--token-file", "token"])
        #expect(stopped.status == 0, "\(stopped.errors)")
        #expect(stopped.output.hasPrefix("web (systemd): stopped"))
        #expect(stopped.output.contains("NOT in the ledger: no broker that knows web-1"))
        #expect(try fixture.app(["status"]).status == 1)
        #expect(try fixture.app(["stop"]).status == 2)
    }

    @Test("what was done to a VM is listed, and nothing is said of a VM that nobody knows")
    func events() throws {
        let fixture = try RuntimeFixture()
        let broker = try broker(fixture)
        defer { broker.stop() }
        let event = VMEvent(
            number: 1, vm: "web-1", time: 1_790_000_000, kind: "app init",
            detail: "configuration 00")
        let list = try text(EventList(events: [event]))
        let none = try text(ReportList(reports: []))
        broker.state.withLock {
            $0.answers["GET /v1/vms/web-1/events"] = list
            $0.answers["GET /v1/vms/web-2/reports"] = none
        }
        func run(_ command: [String]) throws -> Ended {
            try fixture.run(command + ["--socket", broker.socket], insecure: false)
        }
        let listed = try run(["vm", "events", "web-1", "--limit", "5"])
        #expect(listed.status == 0)
        #expect(listed.output.contains("app init  configuration 00"))
        #expect(
            broker.state.withLock { $0.requests.last } == "GET /v1/vms/web-1/events?limit=5")
        let json = try run(["vm", "events", "web-1", "--json"])
        let decoded = try JSONDecoder().decode(EventList.self, from: Data(json.output.utf8))
        #expect(decoded.events == [event])
        #expect(try run(["vm", "events", "web-1", "--limit", "0"]).status == 64)
        #expect(try run(["vm", "events", "web-2"]).status == 2)
        #expect(try run(["reports", "web-2"]).status == 2)
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
