import Bytes
import OpenSSL
import Protocol
import TPM
import Testing

@testable import Attester

@Suite("Which platform a guest is on")
struct PlatformTests {
    private let kernel = FakeKernel()

    private func discover() throws -> any EvidenceProvider {
        try Platforms.discover(kernel: kernel, hashing: OpenSSLHashing())
    }

    @Test(
        "the driver behind configfs-tsm decides", arguments: [("sev_guest", 1), ("tdx_guest", 2)])
    func tsm(provider: String, kind: UInt8) throws {
        kernel.provider = provider + "\n"
        #expect(try discover().kind.rawValue == kind)
    }

    @Test("devices of old kernels are asked only where there is no report interface")
    func devices() throws {
        kernel.hasDriver = false
        #expect(throws: AttesterError.noPlatform(directory: ConfigfsTSM.defaultDirectory)) {
            _ = try discover()
        }
        kernel.files[GuestFiles.tdxGuest] = []
        #expect(try discover().kind == .tdx)
        kernel.files[GuestFiles.sevGuest] = []
        #expect(try discover().kind == .snp)
    }

    @Test("a driver that has its device already is given time to register")
    func registering() throws {
        kernel.hasDriver = false
        kernel.provider = "tdx_guest\n"
        kernel.files[GuestFiles.tdxGuest] = []
        kernel.files[ConfigfsTSM.defaultDirectory] = []
        kernel.driverDelay = 3
        let reportData = FixedBytes<64>(Array(repeating: 0x5a, count: 64)) ?? FixedBytes()
        // The quote comes from the driver, and nobody asks the host's quote service.
        #expect(try discover().evidence { _ in reportData }.data(.report) != nil)
        #expect(kernel.pauses == [100, 100, 100])
        kernel.hasDriver = false
        kernel.driverDelay = nil
        #expect(try discover().kind == .tdx)
        #expect(kernel.pauses.count == 23)
    }

    @Test("a driver of another platform is no reason to look for a device")
    func unknown() {
        kernel.provider = "arm_cca_guest\n"
        kernel.files[GuestFiles.sevGuest] = []
        #expect(throws: AttesterError.unknownProvider(name: "arm_cca_guest")) { _ = try discover() }
    }

    @Test("a report interface that is there and fails is not passed over for a device")
    func failing() throws {
        kernel.files[GuestFiles.sevGuest] = []
        let platform = try discover()
        kernel.faults = [FakeKernel.invalid]
        do {
            _ = try platform.configAnchor()
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".contains("/outblob: read: Invalid argument"))
        }
    }
}

@Suite("SNP by the ioctl of an old kernel")
struct SevGuestTests {
    private let kernel = FakeKernel()
    private let question = FixedBytes<64>(Array(repeating: 0x5a, count: 64)) ?? FixedBytes()

    private var guest: SNPGuest {
        SNPGuest(
            source: .device(SevGuestDevice(path: GuestFiles.sevGuest, kernel: kernel)),
            kernel: kernel, hashing: OpenSSLHashing())
    }

    @Test("the report is cut out of the response, and the certificates come with it")
    func ordinary() throws {
        let evidence = try guest.evidence { _ in question }
        #expect(evidence.data(.report) == FakeKernel.report(over: question.bytes))
        #expect(evidence.data(.certificateTable)?.count == 16384)
        #expect(kernel.privilege == [0])
    }

    @Test("a host that gives no certificates, or knows no extended request, is no fault")
    func certificates() throws {
        kernel.hasCertificates = false
        #expect(try guest.evidence { _ in question }.items.count == 1)
        kernel.answersExtended = false
        #expect(try guest.evidence { _ in question }.items.count == 1)
    }

    @Test("a busy host is asked again, a refusal is final")
    func faults() throws {
        kernel.faults = [FakeKernel.busy, FakeKernel.wouldBlock]
        _ = try guest.evidence { _ in question }
        #expect(kernel.pauses == [20, 40])
        kernel.faults = [FakeKernel.invalid, FakeKernel.invalid]
        #expect(throws: AttesterError.self) { _ = try guest.evidence { _ in question } }
        #expect(kernel.pauses.count == 2)
    }

    @Test("a status other than success is named")
    func status() {
        kernel.status = 0x16
        do {
            _ = try guest.configAnchor()
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".contains("MSG_REPORT_RSP: STATUS 22"))
        }
    }

    @Test("the report is asked for at the level that the guest runs at")
    func privilege() throws {
        kernel.files[GuestFiles.sevPrivilege] = Array("2\n".utf8)
        _ = try guest.configAnchor()
        #expect(kernel.privilege == [2])
        kernel.files[GuestFiles.sevPrivilege] = Array("4\n".utf8)
        #expect(throws: AttesterError.self) { _ = try guest.configAnchor() }
    }
}
