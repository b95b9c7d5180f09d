import Attester
import BrokerLink
import Bytes
import Foundation
import LUKS
import Linux
import OpenSSL
import Protocol
import TPM
import Testing

@testable import InitramfsAgent

/// A processor that signs nothing: the fake broker does not look.
private struct FakePlatform: EvidenceProvider {
    let kind = EvidenceKind.snp
    let hostData: FixedBytes<32>

    func evidence(
        over binding: ([UInt8]) -> FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage {
        do {
            return try EvidenceMessage(
                kind: .snp, items: [EvidenceItem(.report, binding([]).bytes)])
        } catch {
            throw .badReport(field: "report", problem: error.description)
        }
    }

    func configAnchor() throws(AttesterError) -> HardwareAnchor { .hostData(hostData) }

    func checkEnding() throws(AttesterError) {}

    func endEvidence() throws(AttesterError) {}

    func quoting(
        _ device: TPM.Device, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> any EvidenceProvider {
        throw .tpm(.library(problem: "the fake platform has no TPM"))
    }
}

/// A broker, a LUKS2 file with one keyslot, and a gate.conf that names both.
private final class World {
    static let uuid = "6a1c2f7e-5f0b-4c1e-9a53-0c8d2f6b7e11"
    let broker: FakeBroker
    let disk = "/tmp/bootgate-launch-\(Hex.encode(Random.bytes(8))).luks"
    let passphrase = Random.bytes(32)
    let keyslot: Int
    let check: FixedBytes<32>
    let config: GateConfig
    private let hashing = OpenSSLHashing()

    init() throws {
        broker = try FakeBroker()
        try Data(count: 32 << 20).write(to: URL(fileURLWithPath: disk))
        let volumeKey = Random.secret(64)
        let volume = try LUKSVolume.format(
            device: disk, volumeKey: volumeKey, uuid: Self.uuid)
        keyslot = try volume.addKeyslot(
            volumeKey: volumeKey, passphrase: secretBytes(passphrase))
        check = DiskOpening.check(of: volumeKey) ?? FixedBytes()
        let lines =
            [
                "vm = web-1", "broker = 127.0.0.1:\(broker.port)", "pin = sha256:\(broker.pin)",
                "device = UUID=\(Self.uuid)", "anchor = host-data",
                // Not `retry`: a launch that goes wrong is to end.
                "on_unreachable = poweroff",
            ]
        config = try GateConfig(parsing: Array(lines.map { $0 + "\n" }.joined().utf8))
    }

    deinit { try? FileManager.default.removeItem(atPath: disk) }

    func launch() throws -> (ending: Ending, report: LaunchReport) {
        let bytes = config.serialized()
        let path = "\(disk).conf"
        try File.writeAtomically(path, bytes)
        defer { try? FileManager.default.removeItem(atPath: path) }
        var launch = Launch(
            LaunchOptions(configs: [path], device: disk, activates: false),
            platform: FakePlatform(hostData: hashing.sha256(bytes)))
        let ending = launch.run()
        return (ending, launch.report)
    }
}

@Suite("A launch against a broker of the test's making", .serialized)
struct LaunchTests {
    @Test("a released key opens the keyslot, and the broker gets the proof")
    func genuine() throws {
        let world = try World()
        world.broker.serve([
            .release(passphrase: world.passphrase, check: world.check, keyslot: world.keyslot)
        ])
        #expect(try world.launch().ending == .opened)
        #expect(world.broker.log.count == 3)
        #expect(world.broker.log.last?.hasPrefix("OUTCOME unlocked") == true)
    }

    @Test("a refusal ends the launch with the broker's reference and nothing else")
    func refused() throws {
        let world = try World()
        world.broker.serve([.refuse])
        let (ending, report) = try world.launch()
        #expect(ending == .refused(reference: "L-00001"))
        #expect(report.reference == "L-00001")
    }

    @Test("a launch that is held comes back on a fresh connection")
    func held() throws {
        let world = try World()
        world.broker.serve([
            .hold, .release(passphrase: world.passphrase, check: world.check, keyslot: 0),
        ])
        #expect(try world.launch().ending == .opened)
        #expect(world.broker.log.count == 5)
    }

    @Test("a key that opens no keyslot is reported as that")
    func wrongKey() throws {
        let world = try World()
        world.broker.serve([
            .release(passphrase: Random.bytes(32), check: world.check, keyslot: 0)
        ])
        #expect(try world.launch().ending == .notOpened("keyslot refused key"))
        // The launch does not wait long for the broker to have heard it.
        for _ in 0..<6000 where world.broker.log.last?.hasPrefix("OUTCOME") != true {
            Clock.sleep(milliseconds: 10)
        }
        #expect(world.broker.log.last?.contains("keyslot refused key") == true)
    }

    @Test("a keyslot that yields another volume key than the enrolled one stays shut")
    func otherVolumeKey() throws {
        let world = try World()
        world.broker.serve([
            .release(passphrase: world.passphrase, check: FixedBytes(), keyslot: 0)
        ])
        #expect(try world.launch().ending == .notOpened("volume key check mismatch"))
    }

    @Test("a broker that vanishes after RELEASE gets the proof on another connection")
    func lateOutcome() throws {
        let world = try World()
        world.broker.serve([
            .releaseAndVanish(passphrase: world.passphrase, check: world.check, keyslot: 0), .late,
        ])
        #expect(try world.launch().ending == .opened)
        #expect(world.broker.log.last?.hasPrefix("LATE_OUTCOME") == true)
    }

    @Test("a broker that hangs up is asked again")
    func hangUp() throws {
        let world = try World()
        world.broker.serve([
            .hangUp, .release(passphrase: world.passphrase, check: world.check, keyslot: 0),
        ])
        #expect(try world.launch().ending == .opened)
    }

    @Test("a disk that is no LUKS2 volume stops the launch before any network")
    func otherDisk() throws {
        let world = try World()
        try Data(count: 1 << 20).write(to: URL(fileURLWithPath: world.disk))
        world.broker.serve([.refuse])
        #expect(
            try world.launch().ending
                == .stopped(
                    .unusableInput, "no usable LUKS2 disk with UUID \(World.uuid)"))
        #expect(world.broker.log.isEmpty)
    }

    @Test("a broker with another key learns nothing, not even a name")
    func otherBroker() throws {
        let world = try World()
        let other = try FakeBroker()
        other.serve([.refuse])
        let context = try TLSClientContext(pins: [world.broker.pin], alpn: "bootgate/1")
        let address = try #require(
            try SocketAddress.resolve(host: "127.0.0.1", port: other.port).first)
        let introduction = Introduction(
            vm: world.config.vm, keyName: .disk, configDigest: FixedBytes(),
            headerDigest: FixedBytes(), evidenceKind: .snp)
        let connection = try Connection(
            to: address, context: context, opening: .launch(introduction))
        #expect(
            throws: ConnectionError.tls(.peerKeyNotPinned(presented: other.pin))
        ) {
            _ = try connection.next(until: Clock.monotonicNanoseconds + 60_000_000_000)
        }
        #expect(!other.log.contains { $0.hasPrefix("HELLO") })
    }
}
