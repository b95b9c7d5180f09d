import Bytes
import Evidence
import TestSupport
import Testing

@Suite("TDREPORT")
struct TDReportTests {
    @Test("reads every field of a golden report")
    func golden() throws {
        let vector = try GoldenVector("tdreport.txt")
        let report = try TDReport(parsing: vector.bytes)
        let body = report.body
        var fields = [
            "source": vector.fields["source"] ?? "", "spec": vector.fields["spec"] ?? "",
            "VERSION": "\(report.version)", "CPUSVN": report.cpuSVN.hex,
            "TEE_TCB_INFO_HASH": report.teeTCBInfoHash.hex, "TEE_INFO_HASH": report.tdInfoHash.hex,
            "REPORTDATA": report.reportData.hex, "TEE_TCB_SVN": body.teeTCBSVN.hex,
            "MRSEAM": body.mrSEAM.hex, "MRSIGNERSEAM": body.mrSignerSEAM.hex,
            "SEAMATTRIBUTES": body.seamAttributes.hex,
            "TDATTRIBUTES": String(body.tdAttributes.rawValue, radix: 16),
            "XFAM": String(body.xfam, radix: 16), "MRTD": body.mrTD.hex,
            "MRCONFIGID": body.mrConfigID.hex, "MROWNER": body.mrOwner.hex,
            "MROWNERCONFIG": body.mrOwnerConfig.hex,
        ]
        fields["TEE_TCB_SVN_2"] = body.teeTCBSVN2?.hex
        fields["SERVTD_HASH"] = body.mrServiceTD?.hex
        for (index, register) in body.rtmr.enumerated() { fields["RTMR\(index)"] = register.hex }
        #expect(fields == vector.fields)
        #expect(report.agrees(with: report.body))
    }

    @Test("is refused at every other length, and with any reserved byte set")
    func bytes() throws {
        let good = try GoldenVector("tdreport.txt").bytes
        for length in 0..<good.count {
            #expect(throws: ParseError.self) { try TDReport(parsing: Array(good.prefix(length))) }
        }
        #expect(throws: ParseError.trailingBytes(structure: "TDREPORT", count: 1)) {
            try TDReport(parsing: good + [0])
        }
        let reserved = [
            0..<2, 3..<16, 0xc0..<0xe0, 0x190..<0x200, 0x3c0..<0x400,
        ]
        for index in reserved.joined() {
            var bytes = good
            bytes[index] ^= 0x40
            #expect(throws: ParseError.self, "byte \(index)") { try TDReport(parsing: bytes) }
        }
        var bytes = good
        bytes[2] = 2
        #expect(throws: ParseError.self) { try TDReport(parsing: bytes) }
    }

    @Test("agrees with a quote's body only if each field is the same")
    func agreement() throws {
        let quote = try TDXQuote(parsing: try GoldenVector("tdx-quote-v5-td15.txt").bytes)
        let old = try TDXQuote(parsing: try GoldenVector("tdx-quote-v4.txt").bytes)
        let good = try GoldenVector("tdreport.txt").bytes
        let report = try TDReport(parsing: good)
        // The golden files differ in TDATTRIBUTES and MRSERVICETD, by their names.
        #expect(!report.agrees(with: quote.body) && !report.agrees(with: old.body))
        let places = [
            0x80, 0x108, 0x118, 0x148, 0x178, 0x180, 0x203, 0x208, 0x210, 0x240, 0x270, 0x2a0,
            0x2d0, 0x300, 0x330, 0x360, 0x390,
        ]
        for place in places {
            var bytes = good
            bytes[place] ^= 0x10
            let changed = try TDReport(parsing: bytes)
            #expect(!changed.agrees(with: report.body), "byte \(place)")
        }
    }
}
