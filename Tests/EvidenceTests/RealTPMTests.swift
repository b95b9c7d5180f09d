import Bytes
import Evidence
import Foundation
import TestSupport
import Testing

/// Quotes and keys of real TPMs, where the folder of them is at hand.
@Suite("Real TPM evidence", .enabled(if: TestFiles.vectors != nil))
struct RealTPMTests {
    private struct Entry: Decodable {
        struct File: Decodable {
            let path: String
            let role: String
        }
        let files: [File]
    }

    @Test("every file is read as what its role says")
    func files() throws {
        let folder = try #require(TestFiles.vectors)
        let index = try Data(contentsOf: folder.appendingPathComponent("index.json"))
        var count: [String: Int] = [:]
        for file in try JSONDecoder().decode([Entry].self, from: index).flatMap(\.files) {
            let read: ([UInt8]) throws -> Void
            switch file.role {
            case "tpms-attest": read = { _ = try TPMAttestation(parsing: $0) }
            case "tpmt-signature": read = { _ = try TPMSignature(parsing: $0) }
            case "rsassa-sha256-signature-raw":
                read = { _ = try TPMSignature(bareRSASSASHA256: $0) }
            case "ak-tpmt-public": read = { _ = try TPMPublic(parsing: $0) }
            case "ak-tpm2b-public": read = { _ = try TPMPublic(parsingSized: $0) }
            case "pcr-values":
                read = {
                    let values = try PCRValues(json: $0)
                    #expect(try PCRValues(parsing: values.encoded) == values)
                }
            case "tpm2-tools-pcr-file":
                read = {
                    let values = try PCRValues(toolsFile: $0)
                    #expect(values.selection?.description == "sha256:15,16,22")
                }
            default: continue
            }
            count[file.role, default: 0] += 1
            let bytes = try TestFiles.bytes(folder.appendingPathComponent(file.path))
            #expect(throws: Never.self, "\(file.path)") { try read(bytes) }
        }
        #expect(count.count == 7 && count["tpms-attest", default: 0] > 20)
    }
}
