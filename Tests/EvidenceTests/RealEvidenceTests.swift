import Bytes
import Evidence
import Foundation
import TestSupport
import Testing

/// Reports and tables of real processors, where the folder of them is at hand.
@Suite("Real SNP evidence", .enabled(if: TestFiles.vectors != nil))
struct RealEvidenceTests {
    private struct Entry: Decodable {
        struct File: Decodable {
            let path: String
            let role: String
        }
        struct Expectation: Decodable {
            let parse: String?
        }
        let id: String
        let kind: String
        let tags: [String]
        let files: [File]
        let expect: Expectation
    }

    private static func entries() throws -> [(entry: Entry, folder: URL)] {
        let folder = try #require(TestFiles.vectors)
        let index = try Data(contentsOf: folder.appendingPathComponent("index.json"))
        return try JSONDecoder().decode([Entry].self, from: index)
            .filter { $0.kind.hasPrefix("snp-report") || $0.kind.hasPrefix("azure-hcl-snp") }
            .map { ($0, folder) }
    }

    @Test("is read as expected")
    func reports() throws {
        var count = 0
        for (entry, folder) in try Self.entries() {
            for file in entry.files where ["report", "azure-hcl-report"].contains(file.role) {
                var bytes = try TestFiles.bytes(folder.appendingPathComponent(file.path))
                if file.role == "azure-hcl-report" { bytes = Array(bytes[0x20..<0x20 + 1184]) }
                count += 1
                // Bits in the padding of R are refused here already; the index lets a reader wait
                // for the signature check, which refuses them too.
                let isRefused =
                    ["error", "any"].contains(entry.expect.parse) || entry.id.contains("sigpadding")
                if isRefused {
                    #expect(throws: ParseError.self, "\(entry.id)") {
                        try SNPReport(parsing: bytes)
                    }
                } else {
                    let report = try SNPReport(parsing: bytes)
                    // The tags of a negative one may be those of the certificate it does not fit.
                    if let product = report.product, file.role == "report",
                        !entry.tags.contains("negative")
                    {
                        #expect(entry.tags.contains(product.rawValue.lowercased()))
                    }
                    #expect((report.signingKey == .vlek) == entry.tags.contains("vlek"))
                    #expect(report.policy.allowsDebug == entry.tags.contains("debug"))
                }
            }
        }
        #expect(count > 20)
    }

    @Test("tables give the certificate that goes with the report")
    func tables() throws {
        for (entry, folder) in try Self.entries() {
            guard let file = entry.files.first(where: { $0.role == "certificate-table" }),
                let leaf = entry.files.first(where: { $0.role == "vcek-der" })
            else { continue }
            let table = try SNPCertificateTable(
                parsing: try TestFiles.bytes(folder.appendingPathComponent(file.path)))
            #expect(table.vcek == (try TestFiles.bytes(folder.appendingPathComponent(leaf.path))))
            #expect(table.ask != nil && table.ark != nil)
        }
    }
}
