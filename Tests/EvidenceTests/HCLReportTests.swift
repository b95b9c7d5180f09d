import Bytes
import Evidence
import Foundation
import TestSupport
import Testing

@Suite("Report of Azure's paravisor")
struct HCLReportTests {
    private static let digits = String(repeating: "aB", count: 64)
    private static let text = HCLReportBuilder.text(modulus: "gAAB", userData: digits)
    private static let builder = HCLReportBuilder(
        hardware: Array(repeating: 0x5e, count: 1184), text: text)

    @Test("every field is read")
    func fields() throws {
        for version in [1, 2] as [UInt32] {
            let report = try HCLReport(parsing: Self.builder.with { $0.version = version }.bytes)
            #expect(report.version == version)
            #expect(report.hardware == .snp(Array(repeating: 0x5e, count: 1184)))
            #expect(report.hash == .sha256)
            #expect(report.variableData == Self.text)
        }
        let tdx = HCLReportBuilder(
            hardware: Array(repeating: 0x81, count: 1024), reportType: 4, text: Self.text)
        #expect(
            try HCLReport(parsing: tdx.bytes).hardware == .tdx(Array(repeating: 0x81, count: 1024)))
        let data = try HCLRuntimeData(parsing: Self.text)
        #expect(data.attestationKey.modulus == [0x80, 0, 1])
        #expect(data.attestationKey.exponent == [1, 0, 1])
        #expect(data.endorsementKey == nil)
        #expect(data.userData?.hex == Self.digits.lowercased())
        #expect(data.configuration.hasSecureBoot == true)
        #expect(data.configuration.isTPMPersisted == nil)
    }

    @Test("every truncation is refused, and whatever is not zero behind the data")
    func lengths() {
        let bytes = Self.builder.with { $0.rest = [] }.bytes
        for count in 0..<bytes.count {
            #expect(throws: ParseError.self) { try HCLReport(parsing: Array(bytes.prefix(count))) }
        }
        #expect(throws: Never.self) { try HCLReport(parsing: bytes) }
        #expect(throws: ParseError.reservedNotZero(field: "rest of the NV index")) {
            try HCLReport(parsing: bytes + [0, 0, 1])
        }
        #expect(throws: ParseError.self) {
            try HCLReport(parsing: bytes + Array(repeating: 0, count: 8192))
        }
        let tail = HCLReportBuilder(
            hardware: Array(repeating: 1, count: 1025), reportType: 4, text: Self.text)
        #expect(throws: ParseError.reservedNotZero(field: "HW_REPORT behind the TDREPORT")) {
            try HCLReport(parsing: tail.bytes)
        }
    }

    private static let faults: [(String, @Sendable (inout HCLReportBuilder) -> Void)] = [
        ("SIGNATURE", { $0.signature[3] = UInt8(ascii: "B") }),
        ("VERSION", { $0.version = 0 }),
        ("VERSION", { $0.version = 3 }),
        ("REPORT_SIZE", { $0.reportSize = 2346 }),
        ("REPORT_SIZE", { $0.reportSize = .max }),
        ("REQUEST_TYPE", { $0.requestType = 1 }),
        ("STATUS", { $0.status = 1 }),
        ("RESERVED", { $0.reserved[0] = 1 }),
        ("RESERVED", { $0.reserved[11] = 1 }),
        ("DATA_SIZE", { $0.dataSize = 20 }),
        ("DATA_SIZE", { $0.dataSize = .max }),
        ("runtime VERSION", { $0.dataVersion = 2 }),
        ("REPORT_TYPE", { $0.reportType = 3 }),
        ("HASH_TYPE", { $0.hashType = 0 }),
        ("HASH_TYPE", { $0.hashType = 4 }),
        ("VAR_DATA", { $0.variableSize = .max }),
        (
            "VAR_DATA",
            {
                $0.variableSize = 8192
                $0.dataSize = 8212
                $0.reportSize = 9428
            }
        ),
    ]

    @Test("each field that has a rule is refused by its name", arguments: faults.indices)
    func rules(index: Int) {
        let (field, change) = Self.faults[index]
        do throws(ParseError) {
            _ = try HCLReport(parsing: Self.builder.with(change).bytes)
            Issue.record("\(field) was accepted")
        } catch {
            #expect(error.description.hasPrefix(field), "\(error)")
        }
    }

    private static let key =
        #"{"kid":"HCLAkPub","key_ops":["sign"],"kty":"RSA","e":"AQAB","n":"gAAB"}"#

    @Test(
        "runtime data of another shape is refused",
        arguments: [
            "", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[]}"#, #"{"keys":[\#(key)]}"#,
            #"{"keys":[\#(key),\#(key)],"vm-configuration":{}}"#,
            #"{"keys":[\#(key)],"vm-configuration":[]}"#,
            #"{"keys":[\#(key)],"vm-configuration":{"secure-boot":"yes"}}"#,
            #"{"keys":[\#(key)],"vm-configuration":{"vmUniqueId":1}}"#,
            #"{"keys":[\#(key)],"vm-configuration":{},"user-data":"00"}"#,
            #"{"keys":[\#(key)],"vm-configuration":{},"user-data":1}"#,
            #"{"keys":[\#(key)],"vm-configuration":{}} x"#,
            #"{"keys":[\#(key.replacing("RSA", with: "EC"))],"vm-configuration":{}}"#,
            #"{"keys":[\#(key.replacing("sign", with: "encrypt"))],"vm-configuration":{}}"#,
            #"{"keys":[\#(key.replacing("gAAB", with: ""))],"vm-configuration":{}}"#,
            #"{"keys":[\#(key.replacing("gAAB", with: "gAA="))],"vm-configuration":{}}"#,
            #"{"keys":[\#(key.replacing("gAAB", with: "gAA+"))],"vm-configuration":{}}"#,
            #"{"keys":[\#(key.replacing("gAAB", with: "gAB"))],"vm-configuration":{}}"#,
        ])
    func badText(text: String) {
        #expect(throws: ParseError.self) { try HCLRuntimeData(parsing: Array(text.utf8)) }
    }

    @Test("every real report is read", .enabled(if: TestFiles.vectors != nil))
    func real() throws {
        let folder = try #require(TestFiles.vectors).appendingPathComponent("azure")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        for name in names {
            let file = folder.appendingPathComponent("\(name)/hcl-report.bin")
            let bytes = try TestFiles.bytes(file)
            let report = try HCLReport(parsing: bytes)
            let data = try HCLRuntimeData(parsing: report.variableData)
            #expect(data.endorsementKey != nil && data.userData != nil)
            #expect(data.configuration.hasTPM == true)
        }
        #expect(names.count == 10)
    }
}
