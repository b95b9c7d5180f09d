import Bytes
import OpenSSL
import Protocol
import Testing

@testable import Attester

@Suite("TDX in the guest")
struct TDXGuestTests {
    private let kernel = FakeKernel()
    private let hashing = OpenSSLHashing()
    private let question = FixedBytes<64>(Array(repeating: 0x5a, count: 64)) ?? FixedBytes()

    init() {
        kernel.provider = "tdx_guest\n"
        kernel.files[GuestFiles.tdxGuest] = []
        kernel.files[GuestFiles.rtmr3] = []
    }

    private func guest() throws -> any EvidenceProvider {
        try Platforms.discover(kernel: kernel, hashing: hashing)
    }

    @Test("the quote over the question comes with the log that ACPI points to")
    func ordinary() throws {
        kernel.files[GuestFiles.ccelLog] = [1, 2, 3]
        let evidence = try guest().evidence { _ in question }
        #expect(evidence.kind == .tdx)
        #expect(evidence.data(.report) == FakeKernel.quote(over: question.bytes))
        #expect(evidence.data(.eventLog) == [1, 2, 3])
    }

    @Test("the configuration's anchor is MRCONFIGID of a TDREPORT, whatever a quote says")
    func anchor() throws {
        let expected = try #require(FixedBytes<48>(kernel.mrConfigID))
        #expect(try guest().configAnchor() == .mrConfigID(expected))
    }

    @Test("a quote over something else is refused before anybody is asked to judge it")
    func replayed() throws {
        kernel.replaced = Array(repeating: 1, count: 64)
        let guest = try guest()
        #expect(
            throws: AttesterError.badReport(
                field: "REPORTDATA", problem: "is not what was asked for")
        ) { _ = try guest.evidence { _ in question } }
    }

    @Test("RTMR3 is extended by the end marker, and a TDREPORT has to show it")
    func end() throws {
        let guest = try guest()
        try guest.checkEnding()
        try guest.endEvidence()
        let marker = hashing.sha384(Array("bootgate end".utf8)).bytes
        #expect(
            kernel.rtmr3 == hashing.sha384([UInt8](repeating: 0, count: 48) + marker).bytes)
        kernel.extends = false
        #expect(
            throws: AttesterError.cannotEnd(
                register: "RTMR3", problem: "a TDREPORT does not show the extension")
        ) { try guest.endEvidence() }
    }

    @Test("an extension that the kernel refuses is named, and so is a kernel that has none")
    func noEnd() throws {
        let guest = try guest()
        kernel.files[GuestFiles.rtmr3] = nil
        do {
            try guest.checkEnding()
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".contains("Linux 6.16 and later have it"))
        }
    }

    @Test("an old kernel's TDREPORT becomes a quote by the host's service")
    func quoteService() throws {
        kernel.hasDriver = false
        kernel.answers = [
            { peer, request in
                guard peer == .host(port: 4050) else { return nil }
                let report = Array(request.suffix(1024))
                return Self.response(FakeKernel.quote(over: Array(report[0x80..<0xc0])))
            }
        ]
        let evidence = try guest().evidence { _ in question }
        #expect(evidence.data(.report) == FakeKernel.quote(over: question.bytes))
        // 4 bytes of length, then version 1.0, GET_QUOTE_REQ and sizes, as Intel's library sends them.
        let head = try #require(kernel.asked.first).prefix(28)
        #expect(
            Hex.encode(Array(head))
                == "00000418" + "01000000" + "00000000" + "18040000" + "00000000" + "00040000"
                + "00000000")
    }

    @Test("an answer of the quote service that is cut, too long or refused is named")
    func brokenService() throws {
        let good = Self.response([9, 9, 9])
        #expect(try QuoteService.quote(in: good) == [9, 9, 9])
        for length in 0..<good.count {
            #expect(throws: AttesterError.self, "cut at \(length)") {
                _ = try QuoteService.quote(in: Array(good.prefix(length)))
            }
        }
        #expect(throws: AttesterError.self) { _ = try QuoteService.quote(in: good + [0]) }
        #expect(throws: AttesterError.quoteService(problem: "error code 0x12001")) {
            _ = try QuoteService.quote(in: Self.response([], error: 0x12001))
        }
    }

    @Test("without the host's service the error says so")
    func noService() throws {
        kernel.hasDriver = false
        let guest = try guest()
        do {
            _ = try guest.evidence { _ in question }
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".hasPrefix("quote service of the host: "))
        }
    }

    private static func response(_ quote: [UInt8], error: UInt32 = 0) -> [UInt8] {
        var body = ByteWriter()
        body.littleEndian(UInt32(0))
        body.littleEndian(UInt32(quote.count))
        body.raw(quote)
        var writer = ByteWriter()
        writer.bigEndian(UInt32(16 + body.bytes.count))
        writer.littleEndian(UInt16(1))
        writer.littleEndian(UInt16(1))
        writer.littleEndian(UInt32(1))
        writer.littleEndian(UInt32(16 + body.bytes.count))
        writer.littleEndian(error)
        writer.raw(body.bytes)
        return writer.bytes
    }
}
