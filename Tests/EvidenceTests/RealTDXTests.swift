import Bytes
import Evidence
import Foundation
import TestSupport
import Testing

/// Quotes and documents of real platforms, where the folder of them is at hand.
@Suite("Real TDX evidence", .enabled(if: TestFiles.vectors != nil))
struct RealTDXEvidenceTests {
    private func bytes(_ path: String) throws -> [UInt8] {
        let folder = try #require(TestFiles.vectors)
        return try TestFiles.bytes(folder.appendingPathComponent(path))
    }

    @Test(
        "quotes are read as expected",
        arguments: [
            "tdx-v4-8000bytes", "tdx-v4-b", "tdx-v4-ccel-cos113", "tdx-v4-cmc", "tdx-v4-debug",
            "tdx-v4-intel-sample", "tdx-v4-rtmrlog-a", "tdx-v4-uptodate", "tdx-v5-a",
            "tdx-v5-uptodate",
        ])
    func quotes(name: String) throws {
        let quote = try TDXQuote(parsing: try bytes("tdx/\(name)/quote.bin"))
        #expect(quote.header.version == (name.contains("v5") ? 5 : 4))
        #expect(quote.body.tdAttributes.allowsDebug == (name == "tdx-v4-debug"))
        #expect((quote.body.teeTCBSVN2 != nil) == name.contains("v5"))
    }

    @Test(
        "what is no quote is refused",
        arguments: [
            "tdx/tdx-v4-neg-certlen/quote.bin", "tdx/tdx-v4-neg-truncated/quote.bin",
            "tdx/tdx-v4-neg-version/quote.bin", "tdx/tdx-v5-neg-bodytype/quote.bin",
            "tdx/sgx-v3-not-tdx/quote.bin", "tdx/tdreport-a/tdreport.bin",
        ])
    func refused(path: String) throws {
        let bytes = try bytes(path)
        for trailer in [TDXQuote.Trailer.zeroBytes, .anything] {
            #expect(throws: ParseError.self) { try TDXQuote(parsing: bytes, trailer: trailer) }
        }
    }

    @Test("text behind a quote is refused, unless the caller passes over it")
    func textBehind() throws {
        let bytes = try bytes("tdx/tdx-v4-spr-e4/quote.bin")
        #expect(throws: ParseError.self) { try TDXQuote(parsing: bytes) }
        let quote = try TDXQuote(parsing: bytes, trailer: .anything)
        #expect(try TDXQuote(parsing: Array(bytes.dropLast(39))) == quote)
    }

    @Test("a TDREPORT from Azure says what the quote beside it says")
    func azure() throws {
        let hcl = try bytes("azure/az-tdx-a/hcl-report.bin")
        let report = try TDReport(parsing: Array(hcl[0x20..<0x420]))
        let quote = try TDXQuote(parsing: try bytes("azure/az-tdx-a/td-quote.bin"))
        #expect(report.agrees(with: quote.body))
    }

    @Test(
        "collateral is read",
        arguments: [
            "tdx-v4-cmc", "tdx-v4-debug", "tdx-v4-spr-e4", "tdx-v4-uptodate", "tdx-v5-uptodate",
        ])
    func collateral(name: String) throws {
        let collateral = try TDXCollateral(json: try bytes("tdx/\(name)/collateral.json"))
        let info = try TCBInfo(parsing: collateral.tcbInfo.text)
        #expect(info.levels.count > 1)
        #expect(try QEIdentity(parsing: collateral.qeIdentity.text).productID == 2)
        #expect(collateral.tcbInfo.signature.count == 64)
        #expect(try TDXCollateral(json: collateral.json) == collateral)
    }
}
