import Authenticators
import BrokerCore
import Bytes
import Endorsements
import Evidence
import Foundation
import OpenSSL
import Policy
import Protocol
import Verification

@testable import SimulatedPSP

/// A vendor like Intel, one machine of its, and the folder that a broker has of its documents.
final class SimulatedIntel: Sendable {
    static let now: Int64 = 2_000_000_000
    static let configDigest: FixedBytes<32> = fixed(0xc0)

    let machine: TDXMachine
    let verifier: TDXVerifier
    private let folder = NSTemporaryDirectory() + "bootgate-intel-\(UUID().uuidString)"

    /// With nothing in the folder.
    init() throws {
        machine = try TDXMachine(
            TDXPlatform(fmspc: TDXPlatform.usualFMSPC, ppid: fixed(0x77)),
            under: TDXAuthority(now: Self.now), now: Self.now)
        verifier = TDXVerifier(anchors: [
            TrustAnchor(
                name: "simulated", family: .tdx,
                keyDigest: machine.authority.rootKey.publicKeyInfoDigest)
        ])
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var cache: EndorsementCache { EndorsementCache(folder) }
    var authenticator: TDXAuthenticator { TDXAuthenticator(verifier: verifier, cache: cache) }

    /// What the documents about the machine are called.
    var documents: [EndorsementObject] {
        [
            .tdxTCBInfo(fmspc: machine.platform.fmspc), .tdxQEIdentity, .pckRevocations(.platform),
            .intelRootRevocations,
        ]
    }

    /// Lets the folder have what the vendor says, issued a day ago unless `change` wants it otherwise.
    func publish(_ change: (inout PCSCollateral.Order) -> Void = { _ in }) throws {
        var order = PCSCollateral.Order(issued: Self.now - 86400)
        change(&order)
        try machine.collateral(order).write(folder: folder, fmspc: machine.platform.fmspc)
    }
}

/// A TD as it was booted, before it hands over; tests take it apart.
struct SimulatedTD {
    static let boot = MeasuredLaunch(
        firmware: [UInt8](repeating: 0xf1, count: 4096),
        boot: DirectBoot(
            kernel: [UInt8](repeating: 0x4b, count: 600), initrd: [1, 2, 3],
            commandLine: "root=/dev/mapper/root quiet"), hashing: OpenSSLHashing())

    var domain: TrustDomain
    var version: UInt16 = 4
    var generation = TDXGeneration.v1_0
    var faults: Set<Fault> = []
    var log: [UInt8]?
    var tpm: SimulatedTPM?

    init() {
        domain = TrustDomain()
        domain.mrTD = Self.boot.mrTD
        domain.rtmr = Self.boot.log.registers
        domain.mrConfigID =
            FixedBytes(SimulatedIntel.configDigest.bytes + [UInt8](repeating: 0, count: 16))
            ?? FixedBytes()
    }

    /// EVIDENCE over `binding`.
    func evidence(
        _ intel: SimulatedIntel, over binding: FixedBytes<64>
    ) throws -> EvidenceMessage {
        let guest = TDXGuest(
            domain, on: intel.machine, version: version, generation: generation, faults: faults,
            localKey: secret(0x31))
        return try evidence(quote: guest.quote(binding.bytes), over: binding)
    }

    func evidence(quote: [UInt8], over binding: FixedBytes<64>) throws -> EvidenceMessage {
        var items = [EvidenceItem(.report, quote)]
        if let log { items.append(EvidenceItem(.eventLog, log)) }
        items += try tpm?.items(over: binding) ?? []
        return try EvidenceMessage(
            kind: .tdx, attestationKeyName: tpm?.name ?? [], items: items)
    }

    /// Rules that such a TD satisfies.
    static var rules: PolicyRules {
        var rules = PolicyRules(name: "web")
        rules.anchor = .mrconfigid
        rules.measurements = [
            ReferenceMeasurement(
                label: "image",
                registers: .td(
                    mrTD: boot.mrTD, rtmr: [1: boot.log.registers[1], 2: boot.log.registers[2]]),
                covers: [.firmware, .kernel, .initramfs, .commandLine])
        ]
        return rules
    }
}
