import Authenticators
import BrokerCore
import Bytes
import Evidence
import OpenSSL
import Policy
import Protocol
import TestSupport
import Testing

@testable import SimulatedPSP

/// The same of a TPM beside a quote and beside a report.
@Suite("A TPM's quote beside the processor's evidence")
struct TPMQuoteEvidenceTests {
    enum Processor: CaseIterable { case tdx, snp }

    private let binding: FixedBytes<64> = fixed(0xb1)

    private func authenticate(
        _ processor: Processor, _ tpm: SimulatedTPM?, log: [UInt8]? = nil,
        _ change: (inout [EvidenceItem]) -> Void = { _ in }, name: [UInt8]? = nil
    ) throws -> Authentication {
        let message: EvidenceMessage
        let authenticator: any EvidenceAuthenticator
        // Its folder goes with it.
        var machine: SimulatedIntel?
        defer { withExtendedLifetime(machine) {} }
        switch processor {
        case .tdx:
            let intel = try SimulatedIntel()
            machine = intel
            try intel.publish()
            var domain = SimulatedTD()
            domain.tpm = tpm
            message = try domain.evidence(intel, over: binding)
            authenticator = intel.authenticator
        case .snp:
            let amd = try SimulatedAMD()
            message = try amd.evidence(over: binding, tpm: tpm, log: log)
            authenticator = amd.authenticator
        }
        var items = message.items
        change(&items)
        let changed = try EvidenceMessage(
            kind: message.kind, attestationKeyName: name ?? message.attestationKeyName,
            items: items)
        return try authenticator.authenticate(changed, binding: binding, at: SimulatedIntel.now)
    }

    @Test("adds its registers, its key trusted by the report", arguments: Processor.allCases)
    func genuine(processor: Processor) throws {
        let result = try authenticate(processor, SimulatedTPM())
        #expect(result.refused.isEmpty)
        #expect(result.claims?.tpm?.keyTrust == .teeReport)
        #expect(result.claims?.tpm?.pcrs[.sha256, 7] == [UInt8](repeating: 7, count: 32))
        #expect(result.claims?.launchClass == .cpu)
    }

    @Test("refuses by the check that does not hold", arguments: Processor.allCases)
    func mutations(processor: Processor) throws {
        let changes: [([String], @Sendable (inout SimulatedTPM) -> Void)] = [
            (["TPM key name", "TPM key trust"], { $0.name[5] ^= 1 }),
            (["TPM key name", "TPM key trust"], { $0.name = [0, 0x0b] }),
            (["TPM signature"], { $0.key = SimulatedTPM.otherKey }),
            (["TPM nonce"], { $0.nonce = [UInt8](repeating: 1, count: 32) }),
            (["TPM nonce"], { $0.nonce = [] }),
            (
                ["PCR digest"],
                { $0.claimed = $0.registers.map { ($0.index, [9] + $0.digest.dropFirst()) } }
            ),
            (["PCR digest"], { $0.claimed = Array($0.registers.dropLast()) }),
            (["TPM signature"], { $0.changeQuote = { $0[$0.count - 1] ^= 1 } }),
            (["TPM quote"], { $0.changeQuote = { $0[0] ^= 1 } }),
            (["TPM quote"], { $0.changeQuote = { $0.append(0) } }),
            (["TPM key"], { $0.publicArea.attributes ^= 1 << 16 }),
            (["TPM key"], { $0.publicArea.attributes ^= 1 << 1 }),
        ]
        for (index, (checks, change)) in changes.enumerated() {
            var tpm = try SimulatedTPM()
            change(&tpm)
            let result = try authenticate(processor, tpm)
            for check in checks {
                #expect(result.refused.contains(check), "change \(index): \(result.refused)")
            }
            #expect(result.claims?.tpm == nil, "change \(index)")
        }
    }

    @Test(
        "comes whole and with its key's name, or the evidence is malformed",
        arguments: Processor.allCases)
    func wholeOrNotAtAll(processor: Processor) throws {
        let tpm = try SimulatedTPM()
        for content in [EvidenceItem.Content.tpmQuote, .tpmSignature, .tpmPublic, .pcrValues] {
            #expect(throws: ParseError.self) {
                try authenticate(processor, tpm, { $0.removeAll { $0.content == content } })
            }
        }
        #expect(throws: ParseError.self) { try authenticate(processor, tpm, name: []) }
        #expect(throws: ParseError.self) {
            try authenticate(processor, nil, name: tpm.name)
        }
        for content in [EvidenceItem.Content.tpmPublic, .pcrValues] {
            #expect(throws: ParseError.self) {
                try authenticate(
                    processor, tpm,
                    { items in
                        for index in items.indices where items[index].content == content {
                            items[index] = EvidenceItem(content, items[index].data + [0])
                        }
                    })
            }
        }
    }

    @Test("vouches for the log of the boot, register by register")
    func log() throws {
        let boot = MeasuredBoot()
        var tpm = try SimulatedTPM()
        tpm.registers = boot.registers
        let good = try authenticate(.snp, tpm, log: boot.log)
        #expect(good.refused.isEmpty, "\(good.refused)")
        #expect(good.claims?.boot?.secureBoot == true)
        for index in boot.registers.indices.dropLast() {
            var other = tpm
            other.registers[index].digest[0] ^= 1
            let result = try authenticate(.snp, other, log: boot.log)
            #expect(result.refused == ["event log"] && result.claims?.boot == nil)
        }
        let unvouched = try authenticate(.snp, nil, log: boot.log)
        #expect(unvouched.outcome("event log") == .notChecked && unvouched.claims?.boot == nil)
    }
}

/// A log of firmware with Secure Boot and one image, and what a TPM holds after it.
struct MeasuredBoot {
    static let image = OpenSSLHashing().sha256([0xa1]).bytes

    let log: [UInt8]
    let registers: [(index: Int, digest: [UInt8])]

    init(secureBoot: UInt8 = 1) {
        var builder = EventLogBuilder(banks: [.sha256])
        let hashing = OpenSSLHashing()
        var values = [[UInt8]](repeating: [UInt8](repeating: 0, count: 32), count: 16)
        func measure(_ register: Int, _ type: UInt32, _ data: [UInt8], _ hashed: [UInt8]? = nil) {
            let digest = hashing.sha256(hashed ?? data).bytes
            builder.event(UInt32(register), type, data) { _ in digest }
            values[register] = hashing.sha256(values[register] + digest).bytes
        }
        measure(
            7, 0x8000_0001,
            EventLogBuilder.variable(
                "61dfe48bca93d211aa0d00e098032b8c", "SecureBoot", [secureBoot]))
        measure(7, 4, [0, 0, 0, 0])
        measure(4, 4, [0, 0, 0, 0])
        measure(4, 0x8000_0003, [1], [0xa1])
        log = builder.bytes
        registers = (Array(0...7) + [15]).map { ($0, values[$0]) }
    }
}
