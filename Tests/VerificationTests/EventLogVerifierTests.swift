import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

/// A log of a machine with Secure Boot and a unified kernel image, made event by event.
struct SampleBoot {
    static let global = "61dfe48bca93d211aa0d00e098032b8c"
    static let imageSecurity = "cbb219d73a3d9645a3bcdad00e67656f"
    static let hashing = OpenSSLHashing()
    static let certificate: [UInt8] = [0x30, 0x82, 0x00, 0x02, 0x05, 0x00]

    struct Event {
        var register: UInt32
        var type: UInt32
        var data: [UInt8]
        /// What is hashed; the data itself unless given.
        var hashed: [UInt8]?
    }

    var events: [Event] = [
        variable(global, "SecureBoot", [1]), variable(global, "PK", signatures),
        variable(global, "KEK", signatures), variable(imageSecurity, "db", signatures),
        variable(imageSecurity, "dbx", []), Event(register: 7, type: 4, data: [0, 0, 0, 0]),
        Event(register: 2, type: 0x8000_0004, data: [1], hashed: [0xd1]),
        Event(register: 4, type: 0x8000_0007, data: Array("Calling EFI Application".utf8)),
        Event(register: 4, type: 4, data: [0, 0, 0, 0]),
        Event(
            register: 7, type: 0x8000_00e0,
            data: EventLogBuilder.variable(
                imageSecurity, "db", [UInt8](repeating: 7, count: 16) + certificate)),
        Event(register: 4, type: 0x8000_0003, data: [1], hashed: [0xa1]),
        section(".linux", hashed: Array(".linux".utf8) + [0]), section(".linux", hashed: [1]),
        section(".cmdline", hashed: Array(".cmdline".utf8) + [0]),
        section(".cmdline", hashed: [2]),
        Event(register: 12, type: 0x0d, data: EventLogBuilder.utf16("quiet\0")),
        Event(
            register: 8, type: 0x0d, data: Array("kernel_cmdline: /vmlinuz ro\0".utf8),
            hashed: Array("/vmlinuz ro".utf8)),
        Event(
            register: 9, type: 6, data: [0xec, 0x22, 0x3b, 0x8f, 1, 0, 0, 0, 0], hashed: [9]),
        Event(
            register: 9, type: 6, data: [0xed, 0x22, 0x3b, 0x8f, 1, 0, 0, 0, 0], hashed: [8]),
    ]

    static func variable(_ vendor: String, _ name: String, _ data: [UInt8]) -> Event {
        Event(
            register: 7, type: 0x8000_0001, data: EventLogBuilder.variable(vendor, name, data))
    }

    static func section(_ name: String, hashed: [UInt8]) -> Event {
        Event(
            register: 11, type: 0x0d, data: EventLogBuilder.utf16(name + "\0"), hashed: hashed)
    }

    /// One EFI_SIGNATURE_LIST of one certificate.
    static var signatures: [UInt8] {
        var writer = ByteWriter()
        writer.raw(Hex.decode("a159c0a5e494a74a87b5ab155c2bf072") ?? [])
        writer.littleEndian(UInt32(28 + 16 + certificate.count))
        writer.littleEndian(UInt32(0))
        writer.littleEndian(UInt32(16 + certificate.count))
        writer.zeros(16)
        writer.raw(certificate)
        return writer.bytes
    }

    func bytes(_ banks: [HashAlgorithm] = [.sha256]) -> [UInt8] {
        var builder = EventLogBuilder(banks: banks)
        for event in events {
            builder.event(event.register, event.type, event.data) {
                Self.hashing.digest($0, event.hashed ?? event.data)
            }
        }
        return builder.bytes
    }

    /// What an honest TPM holds after these events.
    func registers(_ banks: [HashAlgorithm] = [.sha256]) throws -> RegisterValues {
        try EventLog(parsing: bytes(banks)).replay(Self.hashing)
    }
}

@Suite("An event log counts only as far as registers vouch for it")
struct EventLogVerifierTests {
    private static let hashing = OpenSSLHashing()

    private func verify(
        _ boot: SampleBoot, _ registers: RegisterValues? = nil, isStrict: Bool = true
    ) throws -> EventLogResult {
        EventLogVerifier(isStrict: isStrict).verify(
            bytes: boot.bytes(), from: .tpm, registers: try registers ?? boot.registers())
    }

    private func refused(_ result: EventLogResult) -> [String] {
        result.findings.filter { $0.outcome == .refused }.map(\.check)
    }

    @Test("what a good log proves can be named")
    func facts() throws {
        let result = try verify(SampleBoot())
        #expect(result.findings.allSatisfy { $0.outcome == .ok })
        let facts = try #require(result.facts)
        #expect(facts.secureBoot == true)
        #expect(Set(facts.variables.keys) == ["PK", "KEK", "db", "dbx"])
        let certificate = Self.hashing.sha256(SampleBoot.certificate)
        #expect(facts.variables["db"]?.certificates == [certificate])
        #expect(facts.variables["dbx"]?.isEmpty == true)
        #expect(facts.authorities.map(\.variable) == ["db"])
        #expect(facts.authorities[0].sha256 == certificate && facts.authorities[0].isCertificate)
        #expect(
            facts.bootApplications.map(\.digests) == [[.sha256: Self.hashing.sha256([0xa1]).bytes]])
        #expect(facts.drivers.map(\.digests) == [[.sha256: Self.hashing.sha256([0xd1]).bytes]])
        #expect(facts.ukiSections.map(\.name) == [".linux", ".cmdline"])
        #expect(facts.ukiSections[1].digests[.sha256] == Self.hashing.sha256([2]).bytes)
        #expect(facts.commandLines.map(\.text) == ["quiet", "/vmlinuz ro", nil])
        #expect(facts.commandLines.map(\.source) == [.systemdStub, .grub, .linuxStub])
        #expect(facts.initrds.count == 1)
        #expect(facts.separators == [7: 1, 4: 1])
        #expect(facts.unexplained.isEmpty)
    }

    @Test("each event changed, dropped or moved turns the verdict")
    func mutations() throws {
        let good = SampleBoot()
        let registers = try good.registers()
        for index in good.events.indices {
            var changed = good
            changed.events[index].hashed = [0xee]
            #expect(refused(try verify(changed, registers)) == ["event log"])
            changed = good
            changed.events[index].register = 14
            #expect(!refused(try verify(changed, registers)).isEmpty)
            changed = good
            changed.events.remove(at: index)
            #expect(!refused(try verify(changed, registers)).isEmpty)
        }
        var swapped = good
        swapped.events.swapAt(0, 1)
        #expect(try swapped.registers() != registers)
        #expect(refused(try verify(swapped, registers)) == ["event log"])
    }

    @Test("data that its digest does not cover proves nothing, and the event is told")
    func lyingData() throws {
        let good = SampleBoot()
        let registers = try good.registers()
        // Every event whose data is what was hashed, or is known to name it.
        for index in good.events.indices where ![6, 10, 17, 18].contains(index) {
            var lying = good
            let old = good.events[index]
            lying.events[index].hashed = old.hashed ?? old.data
            lying.events[index].data[old.data.count - (old.type == 4 ? 1 : 3)] ^= 1
            let facts = try verify(lying, registers).facts
            let isTold = facts?.unexplained.contains { $0.index == index } ?? false
            let good = try verify(good, registers).facts
            #expect(isTold || facts != good, "event \(index)")
            if index == 0 { #expect(facts?.secureBoot == nil) }
        }
    }

    @Test("Secure Boot counts only before the separator, and only without contradiction")
    func secureBoot() throws {
        var off = SampleBoot()
        off.events[0] = SampleBoot.variable(SampleBoot.global, "SecureBoot", [0])
        #expect(try verify(off).facts?.secureBoot == false)
        var late = SampleBoot()
        late.events.append(late.events.remove(at: 0))
        #expect(try verify(late).facts?.secureBoot == nil)
        #expect(try verify(late).facts?.unexplained.map(\.reason) == [.afterSeparator])
        var torn = SampleBoot()
        torn.events.insert(SampleBoot.variable(SampleBoot.global, "SecureBoot", [0]), at: 1)
        #expect(try verify(torn).facts?.secureBoot == nil)
        #expect(try verify(torn).facts?.unexplained.map(\.reason) == [.contradiction])
        var other = SampleBoot()
        other.events[0] = SampleBoot.variable(SampleBoot.imageSecurity, "SecureBoot", [1])
        #expect(try verify(other).facts?.secureBoot == nil)
    }

    @Test(
        "events of unknown or wrong kinds are told",
        arguments: [
            (
                SampleBoot.Event(register: 4, type: 0x99, data: [1]),
                BootFacts.Unexplained.Reason.unknownType
            ),
            (SampleBoot.Event(register: 12, type: 0x8000_0003, data: [1]), .wrongRegister),
            (SampleBoot.Event(register: 12, type: 0x8000_0004, data: [1]), .wrongRegister),
            (SampleBoot.Event(register: 4, type: 0x12, data: [1]), .omission),
            (
                SampleBoot.Event(register: 5, type: 0x8000_0007, data: [1], hashed: [2]),
                .digestMismatch
            ),
            (SampleBoot.Event(register: 5, type: 4, data: [9]), .malformedData),
            (SampleBoot.Event(register: 7, type: 0x8000_00e0, data: [9]), .malformedData),
            (SampleBoot.section(".linux", hashed: Array(".linux".utf8)), .digestMismatch),
        ])
    func unexplained(event: SampleBoot.Event, reason: BootFacts.Unexplained.Reason) throws {
        var boot = SampleBoot()
        boot.events.append(event)
        let facts = try #require(try verify(boot).facts)
        #expect(facts.unexplained.map(\.reason) == [reason])
        #expect(facts.unexplained.map(\.index) == [boot.events.count - 1])
    }

    @Test(
        "events that a type of another name would hide are told",
        arguments: [
            // An image, which the firmware hashes from `MZ` on.
            (SampleBoot.Event(register: 4, type: 0x0d, data: [1], hashed: [0xba]), "wrongRegister"),
            (SampleBoot.Event(register: 4, type: 0x0c, data: [1], hashed: [0xba]), "wrongRegister"),
            (SampleBoot.Event(register: 2, type: 1, data: [1], hashed: [0xba]), "wrongRegister"),
            (SampleBoot.Event(register: 4, type: 6, data: Array("MZ".utf8)), "wrongRegister"),
            (SampleBoot.Event(register: 4, type: 0x8000_0006, data: [0x4d]), "wrongRegister"),
            (
                SampleBoot.Event(register: 4, type: 0x8000_0007, data: [0x4d, 0x5a, 0, 1]),
                "malformedData"
            ),
            // What an image was let in for.
            (
                SampleBoot.variable(SampleBoot.imageSecurity, "MokListRT", [1]), "afterSeparator"
            ),
            (SampleBoot.Event(register: 7, type: 0x8000_0002, data: [1]), "wrongRegister"),
            (SampleBoot.Event(register: 7, type: 6, data: [1]), "wrongRegister"),
            // A command line.
            (
                SampleBoot.Event(
                    register: 8, type: 0x0d, data: Array("grub_cmd: /vmlinuz init=/bin/sh".utf8),
                    hashed: Array("/vmlinuz init=/bin/sh".utf8)), "malformedData"
            ),
            (
                SampleBoot.Event(register: 12, type: 0x8000_0007, data: Array("quiet".utf8)),
                "wrongRegister"
            ),
            (
                SampleBoot.Event(
                    register: 9, type: 6, data: [0xec, 0x22, 0x3b, 0x8f, 0, 0, 0, 0], hashed: [8]),
                "contradiction"
            ),
        ])
    func disguised(event: SampleBoot.Event, reason: String) throws {
        var boot = SampleBoot()
        boot.events.append(event)
        let facts = try #require(try verify(boot).facts)
        #expect(facts.unexplained.map { "\($0.index) \($0.reason)" } == ["19 \(reason)"])
    }

    @Test("events that cannot be computed again are told by their register")
    func opaque() throws {
        #expect(try verify(SampleBoot()).facts?.opaqueRegisters == [9])
        var boot = SampleBoot()
        boot.events.append(SampleBoot.Event(register: 12, type: 0x0d, data: [1], hashed: [2]))
        #expect(try verify(boot).facts?.opaqueRegisters == [9, 12])
    }

    @Test("a section that comes twice is told, and the first one counts")
    func sectionTwice() throws {
        var boot = SampleBoot()
        boot.events.append(SampleBoot.section(".linux", hashed: Array(".linux".utf8) + [0]))
        boot.events.append(SampleBoot.section(".linux", hashed: [3]))
        let facts = try #require(try verify(boot).facts)
        #expect(facts.ukiSections.map(\.name) == [".linux", ".cmdline"])
        #expect(facts.unexplained.map(\.reason) == [.contradiction])
    }

    @Test("a separator more than the firmware makes refuses a launch, and is told otherwise")
    func separators() throws {
        var boot = SampleBoot()
        boot.events.append(SampleBoot.Event(register: 7, type: 4, data: [0, 0, 0, 0]))
        #expect(refused(try verify(boot)) == ["event log separators"])
        let told = try verify(boot, isStrict: false)
        #expect(refused(told).isEmpty && told.facts?.separators[7] == 2)
        #expect(told.findings.contains { $0.outcome == .notChecked && $0.actual == "PCR 7 has 2" })
        var failed = SampleBoot()
        failed.events[8].data = [1, 0, 0, 0]
        #expect(try verify(failed).facts?.failedRegisters == [4])
    }

    @Test("events of registers that nobody vouches for prove nothing")
    func coverage() throws {
        let boot = SampleBoot()
        var registers = try boot.registers()
        registers[.sha256, 11] = nil
        #expect(refused(try verify(boot, registers)) == ["event log coverage"])
        let told = try verify(boot, registers, isStrict: false)
        #expect(told.facts?.ukiSections == [] && told.facts?.secureBoot == true)
        let none = try verify(boot, RegisterValues(), isStrict: false)
        #expect(none.facts?.secureBoot == nil && none.facts?.bootApplications == [])
        #expect(none.findings.contains { $0.check == "event log" && $0.outcome == .notChecked })
    }

    @Test("a firmware register without an event has to be untouched")
    func unlogged() throws {
        let boot = SampleBoot()
        var registers = try boot.registers()
        registers[.sha256, 0] = [UInt8](repeating: 0, count: 32)
        #expect(refused(try verify(boot, registers)).isEmpty)
        registers[.sha256, 0] = [UInt8](repeating: 1, count: 32)
        #expect(refused(try verify(boot, registers)) == ["event log"])
        // IMA's register is not in a firmware log; the loader's would be.
        registers[.sha256, 0] = nil
        registers[.sha256, 10] = [UInt8](repeating: 1, count: 32)
        #expect(refused(try verify(boot, registers)).isEmpty)
        registers[.sha256, 14] = [UInt8](repeating: 1, count: 32)
        #expect(refused(try verify(boot, registers)) == ["event log coverage"])
    }

    @Test("the phases that systemd measures into PCR 11 are told apart from the log")
    func phases() throws {
        let boot = SampleBoot()
        var registers = try boot.registers()
        var value = try #require(registers[.sha256, 11])
        for (index, word) in ["enter-initrd", "leave-initrd"].enumerated() {
            value = Self.hashing.sha256(value + Self.hashing.sha256(Array(word.utf8)).bytes).bytes
            registers[.sha256, 11] = value
            let result = try verify(boot, registers)
            #expect(refused(result).isEmpty)
            #expect(result.facts?.phases.count == index + 1)
        }
        registers[.sha256, 11] = Self.hashing.sha256(value).bytes
        #expect(refused(try verify(boot, registers)) == ["event log"])
    }

    @Test("each of two banks has to fit")
    func banks() throws {
        let boot = SampleBoot()
        let registers = try boot.registers([.sha1, .sha384])
        for bank in [HashAlgorithm.sha1, .sha384] {
            var changed = registers
            changed[bank, 4] = [UInt8](repeating: 0, count: bank.size)
            let result = EventLogVerifier().verify(
                bytes: boot.bytes([.sha1, .sha384]), from: .tpm, registers: changed)
            #expect(refused(result) == ["event log"])
        }
    }

    @Test("bytes that are no log leave every check")
    func unreadable() {
        let result = EventLogVerifier().verify(bytes: [1], from: .tpm, registers: RegisterValues())
        #expect(result.findings.map(\.check) == EventLogCheck.allCases.map(\.rawValue))
        #expect(refused(result) == ["event log format"] && result.facts == nil)
    }
}
