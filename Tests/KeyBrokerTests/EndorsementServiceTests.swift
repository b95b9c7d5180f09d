import AdminAPI
import Bytes
import Endorsements
import Evidence
import Foundation
import OpenSSL
import Store
import Testing

@testable import KeyBroker

@Suite("Endorsements by the admin API")
struct EndorsementServiceTests {
    private let folder = NSTemporaryDirectory() + "bootgate-service-\(UUID().uuidString)"

    private func service(_ broker: TestBroker) -> AdminService {
        let desk = EndorsementDesk(cache: EndorsementCache(folder), fetcher: nil)
        _ = desk.request([.tdxQEIdentity], for: "203.0.113.7")
        return AdminService(
            store: broker.store, authority: broker.authority,
            snapshots: broker.service.snapshots, desk: desk, pins: [])
    }

    private func bundle() throws -> [UInt8] {
        let other = folder + "-other"
        defer { try? FileManager.default.removeItem(atPath: other) }
        try FileManager.default.createDirectory(
            atPath: other + "/Genoa", withIntermediateDirectories: true)
        let list = try CRLIssuer.issue(
            CRLTemplate(
                issuer: .init(commonName: "ARK-Genoa"), thisUpdate: 0, nextUpdate: 4_000_000_000,
                entries: [], signature: .ecdsaSHA256), issuerKey: SigningKey.generate(.p256))
        try Data(list).write(to: URL(fileURLWithPath: other + "/Genoa/crl.der"))
        return try #require(EndorsementBundle(of: EndorsementCache(other)).encoded())
    }

    @Test("come as a bundle, are listed, and go as the same bundle")
    func roundTrip() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try await TestBroker()
        defer { broker.remove() }
        let service = service(broker)
        let bytes = try bundle()
        #expect(try service.importEndorsements(bytes) == EndorsementImport(added: ["crl/Genoa"]))
        let list = try await service.endorsements()
        #expect(list.online == false)
        #expect(list.directory == folder)
        #expect(list.documents.map(\.name) == ["crl/Genoa", "qe-identity"])
        #expect(list.documents.map(\.state) == [.good, .missing])
        #expect(try service.endorsementBundle() == bytes)
        try await broker.stop()
    }

    @Test("are refused with the member at fault, and nothing is changed")
    func refused() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try await TestBroker()
        defer { broker.remove() }
        let service = service(broker)
        var bytes = try bundle()
        bytes[600] ^= 1
        #expect(throws: AdminFault.self) { _ = try service.importEndorsements(bytes) }
        #expect(!EndorsementCache(folder).contains(.amdRevocations(.genoa)))
        try await broker.stop()
    }

    @Test("are needed for the chips that enrolled VMs were last launched on")
    func chips() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try await TestBroker()
        defer { broker.remove() }
        try await broker.store.enrol(
            EnrolledVM(
                id: "web-1", policy: "web", configDigest: fixed(0), gateConf: "", luksUUID: "",
                keyName: "disk", keyslot: 1, headerDigest: fixed(0), volumeKeyCheck: fixed(0),
                keyVersion: 1, sealedKey: [], sealedProofKey: [], created: 1, updated: 1))
        for (number, vm) in ["web-1", "stranger"].enumerated() {
            let entry = LaunchEntry(
                launchID: fixed(UInt8(number)), vm: vm, time: 1, from: "203.0.113.7",
                platform: "SNP Genoa", decision: .refused, chipID: fixed(0xc4 + UInt8(number)),
                binding: fixed(0))
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                broker.store.decide(LaunchQuestion(vm: vm, reportID: nil)) { _ in
                    entry
                } done: { _ in
                    done.resume()
                }
            }
        }
        let list = try await service(broker).endorsements()
        let chip: FixedBytes<64> = fixed(0xc4)
        #expect(
            list.chips == [
                SeenChip(chip: chip.hex, platform: "SNP Genoa", vms: ["web-1"], certificates: [])
            ])
        #expect(list.documents.map(\.name) == ["crl/Genoa", "qe-identity"])
        #expect(list.documents.allSatisfy { $0.state == .missing })
        try await broker.stop()
    }
}
