import Bytes
import Linux
import OpenSSL
import Protocol
import Testing

@testable import Attester

@Suite("Reports through configfs-tsm")
struct ConfigfsTSMTests {
    private let kernel = FakeKernel()
    private let question = FixedBytes<64>(Array(repeating: 0x5a, count: 64)) ?? FixedBytes()

    private var guest: SNPGuest {
        SNPGuest(
            source: .tsm(ConfigfsTSM(directory: "/tsm", files: kernel)), kernel: kernel,
            hashing: OpenSSLHashing())
    }

    @Test("a report over the question comes with its certificate table, and the request goes away")
    func ordinary() throws {
        let evidence = try guest.evidence { _ in question }
        #expect(evidence.kind == .snp)
        #expect(evidence.data(.report)?[0x50..<0x90].elementsEqual(question.bytes) == true)
        #expect(evidence.data(.certificateTable) == [1, 2, 3])
        #expect(kernel.entries.isEmpty)
        #expect(kernel.pauses.isEmpty)
    }

    @Test("a host without certificates is no fault here")
    func noCertificates() throws {
        kernel.hasCertificates = false
        #expect(try guest.evidence { _ in question }.items.count == 1)
    }

    @Test(
        "a busy processor is asked again, after growing pauses",
        arguments: [FakeKernel.busy, FakeKernel.wouldBlock])
    func busy(code: Int32) throws {
        kernel.faults = [code, code, code]
        _ = try guest.evidence { _ in question }
        #expect(kernel.pauses == [20, 40, 80])
        #expect(kernel.entries.isEmpty)
    }

    @Test("an answer that may be to another writer's question is thrown away")
    func race() throws {
        kernel.intruders = 2
        _ = try guest.evidence { _ in question }
        #expect(kernel.pauses.count == 2)
    }

    @Test("an endless race ends, says so, and leaves nothing behind")
    func endlessRace() {
        kernel.intruders = 1000
        #expect(
            throws: AttesterError.gaveUp(
                attempts: ConfigfsTSM.attempts, last: "another process wrote to the request")
        ) {
            _ = try guest.evidence { _ in question }
        }
        #expect(kernel.entries.isEmpty)
    }

    @Test("a refusal of the kernel is final, names the attribute, and leaves nothing behind")
    func refusal() {
        kernel.faults = [FakeKernel.invalid]
        do {
            _ = try guest.evidence { _ in question }
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.description == "/tsm/bootgate-0/outblob: read: Invalid argument")
        }
        #expect(kernel.pauses.isEmpty)
        #expect(kernel.entries.isEmpty)
    }

    @Test("below an SVSM the lowest permitted privilege level is asked for")
    func privilegeFloor() throws {
        kernel.floor = 2
        _ = try guest.evidence { _ in question }
        #expect(kernel.privilege == Array("2".utf8))
        #expect(kernel.pauses.isEmpty)
    }

    @Test("a floor of zero writes nothing, so the generation still fits")
    func zeroFloor() throws {
        kernel.floor = 0
        _ = try guest.evidence { _ in question }
        #expect(kernel.privilege.isEmpty)
    }

    @Test("a report over something else is refused before anybody is asked to judge it")
    func replayed() {
        kernel.replaced = Array(repeating: 1, count: 64)
        #expect(
            throws: AttesterError.badReport(
                field: "REPORT_DATA", problem: "is not what was asked for")
        ) {
            _ = try guest.evidence { _ in question }
        }
    }

    @Test("the configuration's anchor is HOST_DATA")
    func anchor() throws {
        let expected = try #require(FixedBytes<32>(Array(repeating: 0xab, count: 32)))
        #expect(try guest.configAnchor() == .hostData(expected))
    }

    @Test("without a driver there is no platform")
    func noDriver() {
        kernel.hasDriver = false
        #expect(throws: AttesterError.noPlatform(directory: "/tsm")) {
            _ = try guest.configAnchor()
        }
    }

    @Test("another driver's report is not taken for SNP's")
    func otherProvider() {
        kernel.provider = "tdx_guest\n"
        #expect(throws: AttesterError.unknownProvider(name: "tdx_guest")) {
            _ = try guest.configAnchor()
        }
    }
}
