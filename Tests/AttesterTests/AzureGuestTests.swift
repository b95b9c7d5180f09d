import Bytes
import Evidence
import OpenSSL
import Protocol
import TPM
import TestSupport
import Testing

@testable import Attester

@Suite("Azure's paravisor in the guest", .enabled(if: SoftwareTPM.isInstalled), .serialized)
struct AzureGuestTests {
    private let kernel = FakeKernel()
    private let hashing = OpenSSLHashing()
    private let software: SoftwareTPM
    private var device: TPM.Device { .simulator(port: software.port) }

    init() throws {
        software = try SoftwareTPM()
        kernel.hasDriver = false
        kernel.files[GuestFiles.tpm] = []
        kernel.files[GuestFiles.chassisTag] = Array("7783-7084-3265-9085-8269-3286-77\n".utf8)
    }

    private func discover() throws -> any EvidenceProvider {
        try Platforms.discover(tpm: device, kernel: kernel, hashing: hashing)
    }

    /// What the paravisor would write.
    private func writeReport(hardware: [UInt8], type: UInt32, userData: [UInt8]) throws {
        let text = HCLReportBuilder.text(
            modulus: MetadataService.base64URL([UInt8](repeating: 0xc5, count: 256)),
            userData: Hex.encode(userData))
        let report = HCLReportBuilder(hardware: hardware, reportType: type, text: text)
        try TPM(device).writeNV(0x0140_0001, report.bytes)
    }

    @Test("the hardware behind the paravisor is told by its report", arguments: [2, 4] as [UInt32])
    func kinds(type: UInt32) throws {
        let snp = FakeKernel.report(over: [UInt8](repeating: 0, count: 64))
        try writeReport(
            hardware: type == 2 ? snp : [UInt8](repeating: 0, count: 1184), type: type,
            userData: [UInt8](repeating: 0, count: 64))
        let guest = try discover()
        #expect(guest.kind == (type == 2 ? .azureSNP : .azureTDX))
        #expect(try guest.configAnchor() == .nothing)
    }

    @Test("a machine of another maker, or one without a paravisor, is none of Azure's kind")
    func others() throws {
        #expect(throws: AttesterError.noPlatform(directory: ConfigfsTSM.defaultDirectory)) {
            _ = try discover()
        }
        kernel.files[GuestFiles.chassisTag] = Array("other\n".utf8)
        #expect(throws: AttesterError.noPlatform(directory: ConfigfsTSM.defaultDirectory)) {
            _ = try discover()
        }
    }

    @Test("a paravisor's report that is none is not passed over")
    func broken() throws {
        try TPM(device).writeNV(0x0140_0001, [1, 2, 3])
        do {
            _ = try discover()
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".contains("HCL report"))
        }
    }

    @Test(
        "quote, user data and report are of one binding, which names the paravisor's key",
        arguments: [2, 4] as [UInt32])
    func whole(type: UInt32) throws {
        let template = TPMTemplate.attestationRSA(label: "HCLAkPub")
        try software.keepKey(template.bytes, at: 0x8100_0003)
        let name = try keyName()
        let expected = hashing.sha512(Array("binding".utf8) + name)
        let zeros = [UInt8](repeating: 0, count: 64)
        let hardware =
            type == 2
            ? FakeKernel.report(over: zeros)
            : try kernel.tdReport(GuestFiles.chassisTag, over: zeros)
                + [UInt8](repeating: 0, count: 160)
        try writeReport(hardware: hardware, type: type, userData: expected.bytes)
        kernel.answers = [
            { _, request in
                let isQuote = request.starts(with: Array("POST /acc/tdquote".utf8))
                guard isQuote == (type == 4) else { return nil }
                let body =
                    isQuote
                    ? "{\"quote\":\"AQID\"}" : "{\"vcekCert\":\"L\",\"certificateChain\":\"C\"}"
                let head = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                return Array((head + body).utf8)
            }
        ]
        let guest = try discover()
        let evidence = try guest.evidence {
            hashing.sha512(Array("binding".utf8) + $0)
        }
        #expect(evidence.attestationKeyName == name)
        let quote = try TPMAttestation(parsing: try #require(evidence.data(.tpmQuote)))
        #expect(quote.extraData == hashing.sha256(expected.bytes).bytes)
        let report = try HCLReport(parsing: try #require(evidence.data(.hclReport)))
        #expect(try HCLRuntimeData(parsing: report.variableData).userData == expected)
        #expect(evidence.data(.report) == (type == 2 ? hardware : [1, 2, 3]))
        #expect(evidence.data(.imdsCertificates) == (type == 2 ? Array("L\nC".utf8) : nil))
        #expect(try readUserData() == expected.bytes)
        try guest.checkEnding()
        try guest.endEvidence()
    }

    private func keyName() throws -> [UInt8] {
        let tpm = try TPM(device)
        return try tpm.key(persistent: 0x8100_0003).name
    }

    private func readUserData() throws -> [UInt8] {
        try TPM(device).readNV(0x0140_0002)
    }

    @Test("a paravisor that does not take our user data up is given up on")
    func stale() throws {
        try software.keepKey(
            TPMTemplate.attestationRSA(label: "HCLAkPub").bytes, at: 0x8100_0003)
        try writeReport(
            hardware: FakeKernel.report(over: [UInt8](repeating: 0, count: 64)), type: 2,
            userData: [UInt8](repeating: 0, count: 64))
        let guest = try discover()
        do {
            _ = try guest.evidence { hashing.sha512($0) }
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".hasSuffix("the paravisor's report lacks our user data"))
        }
        #expect(kernel.pauses.count == 59)
    }

    @Test("without the paravisor's key the error names the TPM's answer")
    func noKey() throws {
        try writeReport(
            hardware: FakeKernel.report(over: [UInt8](repeating: 0, count: 64)), type: 2,
            userData: [UInt8](repeating: 0, count: 64))
        let guest = try discover()
        do {
            _ = try guest.evidence { _ in FixedBytes() }
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".hasPrefix("TPM2_ReadPublic: response code"))
        }
    }
}

@Suite("Azure's metadata service")
struct MetadataServiceTests {
    private let kernel = FakeKernel()
    private var service: MetadataService { MetadataService(kernel: kernel) }

    private func answer(_ body: String, head: String = "") -> [UInt8] {
        Array(
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(head)\r\n\(body)".utf8)
    }

    @Test("certificates come as one PEM text, leaf first")
    func certificates() throws {
        kernel.answers = [
            { peer, request in
                let text = String(decoding: request, as: UTF8.self)
                guard peer == .metadataService, text.contains("\r\nMetadata: true\r\n"),
                    text.hasPrefix("GET /metadata/THIM/amd/certification HTTP/1.1\r\n")
                else { return nil }
                return answer("{\"vcekCert\":\"LEAF\",\"certificateChain\":\"CHAIN\\n\"}")
            }
        ]
        #expect(try service.certificates() == Array("LEAF\nCHAIN\n".utf8))
    }

    @Test("a TDREPORT is sent in base64url, and so comes the quote")
    func quote() throws {
        kernel.answers = [
            { _, request in
                let text = String(decoding: request, as: UTF8.self)
                guard text.hasPrefix("POST /acc/tdquote HTTP/1.1\r\n"),
                    text.hasSuffix("\r\n\r\n{\"report\":\"-_8\"}")
                else { return nil }
                return answer("{\"quote\":\"_-4\"}")
            }
        ]
        #expect(try service.quote(of: [0xfb, 0xff]) == [0xff, 0xee])
    }

    @Test("chunks are put together, and every cut or addition is refused")
    func chunks() throws {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let whole = Array((head + "3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n").utf8)
        #expect(try HTTPAnswer(parsing: whole).body == Array("abc0123456789".utf8))
        #expect(HTTPAnswer.isWhole(whole))
        for length in 0..<whole.count {
            #expect(!HTTPAnswer.isWhole(Array(whole.prefix(length))), "cut at \(length)")
        }
        #expect(throws: ParseError.self) { _ = try HTTPAnswer(parsing: whole + [0]) }
    }

    @Test(
        "what is no answer, or not one within bounds, is refused",
        arguments: [
            "", "HTTP/1.1 200 OK\r\n", "FTP 200\r\n\r\n", "HTTP/1.1 999 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ])
    func refused(text: String) {
        #expect(throws: ParseError.self) { _ = try HTTPAnswer(parsing: Array(text.utf8)) }
    }

    @Test("a status other than 200 and an answer without the member are named")
    func problems() {
        kernel.answers = [
            { _, _ in Array("HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n".utf8) },
            { _, _ in answer("{}") },
        ]
        let path = "/metadata/THIM/amd/certification"
        #expect(throws: AttesterError.metadataService(path: path, problem: "status 429")) {
            _ = try service.certificates()
        }
        #expect(
            throws: AttesterError.metadataService(
                path: path, problem: "has no vcekCert and certificateChain")
        ) { _ = try service.certificates() }
    }
}
