import AdminAPI
import BrokerCore
import Bytes
import Evidence
import Foundation
import Linux
import OpenSSL
import Policy
import Store
import Testing

@testable import KeyBroker

/// A snapshot's file, as an agent writes it.
func snapshotFile(
    vm: String? = nil, report: FixedBytes<32>? = nil, resets: UInt32? = nil,
    restarts: UInt32? = nil, files: [(path: String, digest: [UInt8])] = []
) -> [UInt8] {
    var snp = SnapshotHeader.SNPPolicy()
    snp.reportID = report
    var writer = SnapshotWriter(
        SnapshotHeader(
            teePolicy: report.map { _ in .snp(snp) },
            tpmPolicy: .init(resetCount: resets, restartCount: restarts)))
    for file in files { writer.file(path: Array(file.path.utf8), digest: file.digest) }
    writer.details(
        SnapshotDetails(vm: vm, hostName: "web", bootID: "b", time: 1, hash: .sha256))
    writer.end()
    return writer.take()
}

@Suite("Runtime state by the admin API", .serialized)
struct RuntimeServiceTests {
    private let broker: TestBroker
    private var service: AdminService { broker.service }
    private let key: Signer

    /// Somebody who signs snapshots.
    private final class Signer: Sendable {
        let key: SigningKey

        init(_ kind: SigningKey.Kind = .p256) throws {
            key = try SigningKey.generate(kind)
        }

        var digest: String { key.publicKeyInfoDigest.hex }

        /// ECDSA with SHA-256 over `file`, in DER as openssl writes it.
        func sign(_ file: [UInt8]) throws -> [UInt8] {
            let numbers = try key.sign(file, scheme: .ecdsa(.sha256))
            let parts = [numbers.prefix(numbers.count / 2), numbers.suffix(numbers.count / 2)]
            let integers = parts.flatMap { part -> [UInt8] in
                let digits = part.drop { $0 == 0 }
                let padded = (digits.first ?? 0x80) >= 0x80 ? [0] + digits : Array(digits)
                return [2, UInt8(padded.count)] + padded
            }
            return [0x30, UInt8(integers.count)] + integers
        }
    }

    init() async throws {
        broker = try await TestBroker()
        try await broker.enrol()
        key = try Signer()
    }

    private func finish() async throws {
        try await broker.stop()
        broker.remove()
    }

    private func put(
        _ file: [UInt8], _ signing: SnapshotSigning = SnapshotSigning(), vm: String = "web-1"
    ) async throws -> SnapshotRecord {
        let incoming = try await service.receiveSnapshot(vm)
        for start in stride(from: 0, to: file.count, by: 100) {
            try incoming.append(Array(file[start..<min(start + 100, file.count)]))
        }
        return try await service.register(incoming, for: vm, signing)
    }

    private func signed(_ file: [UInt8], by key: Signer) throws -> SnapshotSigning {
        SnapshotSigning(
            signature: (try key.sign(file), try key.key.publicKey.subjectPublicKeyInfo))
    }

    private func names() -> [String] {
        ((try? File.names(in: broker.directory + "/snapshots/web-1")) ?? [])
    }

    private func fault(_ body: () async throws -> some Any) async -> AdminFault? {
        do {
            _ = try await body()
            return nil
        } catch {
            return AdminFault(answering: error)
        }
    }

    @Test("a VM of which nothing is known was never verified")
    func nothingKnown() async throws {
        #expect(
            try await service.runtime("web-1") == RuntimeRecord(vm: "web-1", state: .neverVerified))
        #expect(await fault { try await service.runtime("web-9") }?.code == .notFound)
        #expect(await fault { try await service.snapshot("web-1") }?.code == .notFound)
        #expect(await fault { try await service.receiveSnapshot("web-9") }?.code == .notFound)
        try await finish()
    }

    @Test("a registered snapshot comes back as it was sent, and says which boot is expected")
    func snapshotRoundTrip() async throws {
        let file = snapshotFile(
            vm: "web-1", report: fixed(0x1d), resets: 7, restarts: 1,
            files: [("/usr/bin/a", [UInt8](repeating: 1, count: 32))])
        let record = try await put(file)
        #expect(record.digest == OpenSSLHashing().sha256(file).hex)
        #expect(record.size == Int64(file.count) && record.files == 1 && record.signer == nil)
        #expect(try await service.snapshot("web-1") == record)
        let opened = try await service.snapshotFile("web-1").file
        #expect(try opened.next() == file)
        #expect(try opened.next().isEmpty)
        let expected: FixedBytes<32> = fixed(0x1d)
        #expect(
            try await service.runtime("web-1").boot
                == BootRecord(reportID: expected.hex, resetCount: 7, restartCount: 1))
        let events = try await service.events("web-1", limit: 5).events
        #expect(events.map(\.kind) == ["snapshot registered"])
        #expect(events.first?.detail.contains(record.digest) == true)
        try await finish()
    }

    @Test("two files are kept, and none of a removed VM's")
    func keptFiles() async throws {
        var digests: [String] = []
        for count in 1...3 {
            digests.append(try await put(snapshotFile(resets: UInt32(count))).digest)
        }
        #expect(names() == digests.dropFirst().map { "\($0).json" }.sorted())
        _ = try await service.remove("web-1")
        #expect(!File.exists(broker.directory + "/snapshots/web-1"))
        try await finish()
    }

    @Test("files that are registered side by side do not take each other away")
    func sideBySide() async throws {
        for round in 0..<10 {
            async let one = put(snapshotFile(resets: UInt32(2 * round)))
            async let other = put(snapshotFile(resets: UInt32(2 * round + 1)))
            let digests = Set([try await one.digest, try await other.digest])
            #expect(Set(names()) == Set(digests.map { "\($0).json" }))
            _ = try service.snapshots.open(try await service.snapshot("web-1").digest, of: "web-1")
        }
        try await finish()
    }

    @Test("what came in only in part is gone after the next start")
    func unfinished() async throws {
        let incoming = try await service.receiveSnapshot("web-1")
        try incoming.append([0x7b])
        #expect(names().contains { $0.hasSuffix(".new") })
        service.snapshots.removeUnfinished()
        #expect(names().isEmpty)
        try await finish()
    }

    @Test("what is no snapshot, too much or another VM's leaves nothing behind")
    func unusableFiles() async throws {
        await #expect(throws: IncomingSnapshot.Fault.self) { try await put(Array("{}".utf8)) }
        await #expect(throws: IncomingSnapshot.Fault.self) {
            try await put(snapshotFile().dropLast(3) + [])
        }
        let other = await fault { try await put(snapshotFile(vm: "web-2")) }
        #expect(other?.code == .invalid && other?.field == "bootgate.vm")
        do {
            let incoming = try await service.receiveSnapshot("web-1")
            let blank = [UInt8](repeating: 0x20, count: 1 << 24)
            #expect(throws: IncomingSnapshot.Fault.self) {
                for _ in 0...8 { try incoming.append(blank) }
            }
        }
        #expect(names().isEmpty)
        #expect(await fault { try await service.snapshot("web-1") }?.code == .notFound)
        try await finish()
    }

    @Test("the first signer of a VM is the only one, until somebody says otherwise")
    func signers() async throws {
        let file = snapshotFile(resets: 1)
        let first = try await put(file, signed(file, by: key))
        #expect(first.signer == key.digest)

        let next = snapshotFile(resets: 2)
        let other = try Signer()
        #expect(await fault { try await put(next) }?.code == .conflict)
        let refused = await fault { try await put(next, signed(next, by: other)) }
        #expect(refused?.code == .conflict)
        #expect(refused?.message.contains(key.digest) == true)
        #expect(try await service.snapshot("web-1") == first)
        #expect(names() == ["\(first.digest).json"])

        _ = try await put(next, signed(next, by: key))
        var replacing = try signed(next, by: other)
        replacing.replacesSigner = true
        let replaced = try await put(next, replacing)
        #expect(replaced.signer == other.digest)
        #expect(await fault { try await put(file, signed(file, by: key)) }?.code == .conflict)
        try await finish()
    }

    @Test("a signature over another file, or by a key of another kind, registers nothing")
    func badSignatures() async throws {
        let file = snapshotFile(resets: 1)
        let over = try signed(snapshotFile(resets: 2), by: key)
        #expect(await fault { try await put(file, over) }?.field == "signature")
        let wrongKind = try signed(file, by: Signer(.p384))
        #expect(await fault { try await put(file, wrongKind) }?.field == "key")
        #expect(names().isEmpty)
        try await finish()
    }

    @Test("only a VM that failed is resumed, with a reason, and the ledger says why")
    func resume() async throws {
        #expect(await fault { try await resumed("nothing happened") }?.code == .conflict)
        try await broker.fail("web-1", at: Clock.realtime)
        let failed = try await service.runtime("web-1")
        #expect(failed.state == .failed && failed.failedChecks == ["snapshot"])
        #expect(failed.lastReport == "R-00001")
        for reason in ["", String(repeating: "x", count: 257)] {
            #expect(await fault { try await resumed(reason) }?.field == "reason")
        }
        let record = try await resumed("looked at it")
        #expect(record.state == .neverVerified && record.failedChecks.isEmpty)
        let event = try await service.events("web-1", limit: 1).events.first
        #expect(event?.kind == "resumed" && event?.detail == "looked at it")
        try await finish()
    }

    private func resumed(_ reason: String) async throws -> RuntimeRecord {
        try await service.resume("web-1", RuntimeRequest(reason: reason))
    }

    @Test("a trusted VM grows stale when its last report is older than an hour")
    func stale() async throws {
        for (age, state) in [(3500, RuntimeState.trusted), (3700, .stale)] {
            try await broker.report(
                ReportEntry(
                    vm: "web-1", time: Clock.realtime - Int64(age), from: "203.0.113.7",
                    verdict: .trusted), VMRuntime(state: .trusted))
            #expect(try await service.runtime("web-1").state == state)
        }
        try await finish()
    }

    @Test("windows and tickets are shown as long as they last")
    func windowsAndTickets() async throws {
        let hour = RuntimeRequest(reason: "updates", seconds: 3600)
        let opened = try await service.beginUpdate("web-1", hour)
        #expect(opened.window.map { $0.expires - $0.opened } == 3600)
        #expect(try await service.expectReboot("web-1", hour).ticket?.reason == "updates")
        let closed = try await service.endUpdate("web-1", RuntimeRequest(reason: "done"))
        #expect(closed.window == nil && closed.ticket != nil)
        #expect(
            await fault { try await service.endUpdate("web-1", RuntimeRequest(reason: "twice")) }?
                .code == .conflict)
        for seconds in [nil, 59, 604_801] as [Int64?] {
            let request = RuntimeRequest(reason: "updates", seconds: seconds)
            #expect(
                await fault { try await service.beginUpdate("web-1", request) }?.field == "seconds")
            #expect(
                await fault { try await service.expectReboot("web-1", request) }?.field == "seconds"
            )
        }
        _ = try await broker.store.changeRuntime(of: "web-1", at: 1) { runtime in
            runtime.ticket?.expires = 1
            return EventEntry("test", "")
        }
        #expect(try await service.runtime("web-1").ticket == nil)
        #expect(
            try await service.events("web-1", limit: 10).events.map(\.kind)
                == ["test", "window closed", "reboot expected", "window opened"])
        try await finish()
    }

    @Test("owners' programs note what they do, and nothing that the broker says itself")
    func foreignEvents() async throws {
        _ = try await service.note("web-1", "app init", RuntimeRequest(reason: "new config"))
        for kind in ["resumed", "snapshot registered", "", "app init "] {
            #expect(
                await fault { try await service.note("web-1", kind, RuntimeRequest(reason: "x")) }?
                    .field == "kind")
        }
        #expect(try await service.events("web-1", limit: 10).events.map(\.kind) == ["app init"])
        #expect(
            await fault {
                try await service.note("web-9", "app init", RuntimeRequest(reason: "x"))
            }?
            .code == .notFound)
        try await finish()
    }

    @Test("reports are found by their reference, with findings and problems")
    func reports() async throws {
        try await broker.fail("web-1", at: 5)
        let listed = try await service.reports("web-1", limit: 10).reports
        #expect(listed.map(\.reference) == ["R-00001"] && listed.first?.findings == nil)
        let report = try await service.report("R-00001")
        #expect(report.verdict == "failed" && report.refusedChecks == ["snapshot"])
        #expect(report.findings?.map(\.check) == ["snapshot"])
        #expect(
            report.problems
                == [ReportProblem(check: "snapshot", index: 7, path: "/bin/evil", detail: "new")])
        #expect(await fault { try await service.report("R-00002") }?.code == .notFound)
        #expect(await fault { try await service.report("L-00001") }?.field == "report")
        try await finish()
    }
}

extension TestBroker {
    /// Records a report with what follows from it.
    func report(_ entry: ReportEntry, _ runtime: VMRuntime?) async throws {
        _ = try await withCheckedThrowingContinuation { continuation in
            store.report(
                .init(vm: entry.vm, reportID: nil),
                by: { _ in ReportDecision(entry: entry, runtime: runtime) },
                done: { continuation.resume(with: $0.map { $0?.0 }) })
        }
    }

    /// Makes a VM fail.
    func fail(_ vm: String, at time: Int64) async throws {
        let finding =
            #"[{"check":"snapshot","outcome":"refused","expected":"a","actual":"b"}]"#
        let problem = #"[{"check":"snapshot","index":7,"path":"/bin/evil","detail":"new"}]"#
        try await report(
            ReportEntry(
                vm: vm, time: time, from: "203.0.113.7", verdict: .failed,
                refusedChecks: ["snapshot"], findings: finding, problems: problem),
            VMRuntime(state: .failed, failedChecks: ["snapshot"]))
    }
}
