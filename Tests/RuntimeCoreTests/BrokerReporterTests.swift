import Attester
import BrokerLink
import Bytes
import Evidence
import Linux
import OpenSSL
import Protocol
import Synchronization
import TPM
import TestSupport
import Testing

@testable import RuntimeCore

/// A VM that was booted by the gate, and its broker.
private final class World: Sendable {
    let folder: ScratchFolder
    let broker: ReportBroker
    let lines = Mutex<[String]>([])
    let configuration: [UInt8]

    init(pin: FixedBytes<32>? = nil) throws {
        folder = try ScratchFolder()
        broker = try ReportBroker()
        let text = """
            vm = web-1
            broker = 127.0.0.1:\(broker.port)
            pin = sha256:\((pin ?? broker.pin).hex)
            device = UUID=6a1c2f7e-5f0b-4c1e-9a53-0c8d2f6b7e11
            anchor = host-data

            """
        configuration = Array(text.utf8)
        try folder.put("run/gate.conf", configuration)
    }

    /// `patience` is for a broker that is there; a test of one that is not has little.
    func reporter(
        _ platform: FakePlatform = FakePlatform(), tpm: TPM.Device? = nil, patience: Int = 60
    ) -> BrokerReporter {
        BrokerReporter(
            runtimeEvidence(of: platform, tpm: tpm, log: IMALog(securityfs: folder.path)),
            interval: 3600, patience: patience, config: "\(folder.path)/run/gate.conf",
            outcome: "\(folder.path)/run/outcome", journal: { [self] in note($0) })
    }

    private func note(_ line: String) { lines.withLock { $0.append(line) } }
}

extension ScratchFolder: @unchecked Sendable {}

@Suite("A report to the broker", .serialized)
struct BrokerReporterTests {
    private let hashing = OpenSSLHashing()

    @Test("HELLO names the statement, the evidence carries it, and the report is over the session")
    func report() throws {
        let world = try World()
        try world.broker.serve([.take(logFrom: nil)])
        #expect(world.reporter().report() == .answered)
        let seen = world.broker.seen
        let hello = try #require(seen.hello)
        #expect(hello.purpose == .runtime)
        #expect(hello.vm.description == "web-1")
        #expect(hello.configDigest == hashing.sha256(world.configuration))
        #expect(hello.hpkePublicKey.isZero)
        let statement = try #require(seen.evidence?.data(.statement))
        #expect(hello.headerDigest == hashing.sha256(statement))
        #expect(try RuntimeStatement(parsing: statement).vm == "web-1")
        let binding = try #require(seen.binding)
        #expect(seen.evidence?.data(.report) == FakePlatform.report(over: binding))
        #expect(world.lines.withLock { $0.count } == 1)
    }

    @Test("the log goes from the byte that was asked for to its end, in stretches")
    func log() throws {
        let world = try World()
        // Twice the longest stretch: the end is only known from the part behind it.
        let content = (0..<(2 << 17)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try world.folder.put("ima/binary_runtime_measurements", content)
        for offset in [0, 1, 1 << 17, content.count, content.count + 5] {
            try world.broker.serve([.take(logFrom: UInt64(offset))])
            let before = world.broker.seen.log.count
            #expect(world.reporter().report() == .answered)
            #expect(Array(world.broker.seen.log[before...]) == Array(content.dropFirst(offset)))
        }
        #expect(world.broker.seen.longestPart <= 1 << 17)
    }

    @Test("a kernel without a log says so by an empty one")
    func noLog() throws {
        let world = try World()
        try world.broker.serve([.take(logFrom: 0)])
        #expect(world.reporter().report() == .answered)
        #expect(world.broker.seen.messages == ["HELLO", "EVIDENCE", "LOG"])
        #expect(world.broker.seen.log.isEmpty)
    }

    @Test("a quote of the TPM is part of it", .enabled(if: SoftwareTPM.isInstalled))
    func quoted() throws {
        let software = try SoftwareTPM()
        let world = try World()
        try world.broker.serve([.take(logFrom: nil)])
        #expect(world.reporter(tpm: .simulator(port: software.port)).report() == .answered)
        let seen = world.broker.seen
        let message = try #require(seen.evidence)
        let quote = try TPMAttestation(parsing: try #require(message.data(.tpmQuote)))
        #expect(quote.extraData == seen.binding.map { hashing.sha256($0.bytes).bytes })
        let statement = try RuntimeStatement(parsing: try #require(message.data(.statement)))
        #expect(statement.attestationKeyName == message.attestationKeyName)
    }

    @Test("a refusal is an answer, also within the log, and its reference is all that is told")
    func refused() throws {
        let world = try World()
        try world.folder.put(
            "ima/binary_runtime_measurements", [UInt8](repeating: 1, count: 1 << 20))
        try world.broker.serve([.refuse, .refuseWithinLog])
        let reporter = world.reporter()
        #expect(reporter.report() == .answered)
        #expect(reporter.report() == .answered)
        for line in world.lines.withLock({ $0 }) {
            #expect(line.hasSuffix("refused the report, reference R-00001"))
        }
    }

    @Test("a broker that wants another report says when")
    func held() throws {
        let world = try World()
        try world.broker.serve([.hold(seconds: 42)])
        #expect(world.reporter().report() == .held(seconds: 42))
    }

    @Test("no broker, a busy one, a vanishing one and one of another key are failures")
    func failures() throws {
        let busy = try World()
        try busy.broker.serve([.busy, .busy, .busy, .busy, .busy, .busy])
        #expect(busy.reporter(patience: 2).report() == .failed)
        let vanishing = try World()
        try vanishing.broker.serve([.vanish])
        #expect(vanishing.reporter(patience: 2).report() == .failed)
        let other = try World(pin: FixedBytes())
        try other.broker.serve([.take(logFrom: nil)])
        #expect(other.reporter(patience: 2).report() == .failed)
        #expect(other.broker.seen.hello == nil)
        let none = try World()
        #expect(none.reporter(patience: 2).report() == .failed)
        for world in [busy, vanishing, other, none] {
            #expect(world.lines.withLock { $0.last?.hasPrefix("no report: ") } == true)
        }
    }

    @Test("no evidence is a failure, and no broker is asked")
    func noEvidence() throws {
        let world = try World()
        let error = AttesterError.noPlatform(directory: "/sys")
        let evidence = RuntimeEvidence(
            runtimeEvidence(tpm: nil).subject, tpm: nil, snapshot: { nil },
            discovery: { () throws(AttesterError) in throw error })
        let reporter = BrokerReporter(
            evidence, interval: 3600, patience: 2, config: "\(world.folder.path)/run/gate.conf",
            outcome: "\(world.folder.path)/run/outcome", journal: { _ in })
        #expect(reporter.report() == .failed)
        #expect(world.broker.seen.messages.isEmpty)
    }

    @Test("a VM without the gate reports to nobody, and a broken gate.conf is told")
    func noGate() throws {
        let world = try World()
        try world.folder.put("run/gate.conf", "vm = web-1\nunknown = 1\n")
        #expect(world.reporter().report() == .failed)
        try File.remove("\(world.folder.path)/run/gate.conf")
        #expect(world.reporter().report() == .answered)
        #expect(world.broker.seen.messages.isEmpty)
    }

    @Test("a proof of unlocking that was left goes first, and is gone once it was judged")
    func lateOutcome() throws {
        for behaviour in [ReportBroker.Behaviour.late, .refuse] {
            let world = try World()
            let late = LateOutcome(
                launchID: FixedBytes(Random.bytes(16)) ?? FixedBytes(),
                proof: FixedBytes(Random.bytes(32)) ?? FixedBytes())
            let path = try world.folder.put("run/outcome", late.text)
            try world.broker.serve([behaviour, .take(logFrom: nil)])
            #expect(world.reporter().report() == .answered)
            #expect(world.broker.seen.late == late)
            #expect(world.broker.seen.messages == ["LATE_OUTCOME", "HELLO", "EVIDENCE"])
            #expect(!File.exists(path))
        }
    }

    @Test("a proof that no broker took stays, and one that is none is told and holds nothing up")
    func keptOutcome() throws {
        let world = try World()
        let late = LateOutcome(launchID: FixedBytes(), proof: FixedBytes())
        let path = try world.folder.put("run/outcome", late.text)
        #expect(world.reporter(patience: 2).report() == .failed)
        #expect(File.exists(path))
        let other = try World()
        try other.folder.put("run/outcome", "launch=\nproof=\n")
        try other.broker.serve([.take(logFrom: nil)])
        #expect(other.reporter().report() == .answered)
        #expect(other.broker.seen.messages == ["HELLO", "EVIDENCE"])
    }

    @Test("reports follow each other until the reporter is told to end")
    func schedule() throws {
        let world = try World()
        try world.broker.serve([.take(logFrom: nil), .hold(seconds: 42), .take(logFrom: nil)])
        let pauses = Mutex<[Double]>([])
        world.reporter().run { seconds in
            pauses.withLock {
                $0.append(seconds)
                return $0.count < 3
            }
        }
        let made = pauses.withLock { $0 }
        #expect(made.count == 3)
        #expect((3240...3960).contains(made[0]))
        #expect(made[1] == 42)
        #expect((3240...3960).contains(made[2]))
    }
}

@Suite("When reports are due")
struct ReportScheduleTests {
    @Test("failures are answered by pauses from 5 s to 5 min, each twice the last")
    func backOff() {
        var schedule = ReportSchedule(interval: 3600)
        let pauses = (0..<12).map { _ in schedule.pause(after: .failed, random: 1) }
        #expect(pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300, 300])
        #expect(schedule.pause(after: .failed, random: 0) == 240)
        #expect(schedule.pause(after: .answered, random: 0.5) == 3600)
        #expect(schedule.pause(after: .failed, random: 0) == 5)
    }

    @Test("reports come at the interval, give or take a tenth, and never faster than every minute")
    func interval() {
        var schedule = ReportSchedule(interval: 600)
        #expect(schedule.pause(after: .answered, random: 0) == 540)
        #expect(schedule.pause(after: .answered, random: 1) == 660)
        #expect(ReportSchedule(interval: 1).interval == 60)
        #expect(schedule.pause(after: .held(seconds: 0), random: 0) == 5)
        #expect(schedule.pause(after: .held(seconds: 65535), random: 0) == 600)
    }
}
