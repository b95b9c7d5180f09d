import Bytes
import Foundation
import TestSupport
import Testing

@testable import VectorRunner

/// A folder of evidence, and what its index expects.
private struct Folder: Sendable, CustomTestStringConvertible {
    struct Entry: Decodable {
        struct Expectation: Decodable {
            struct Case: Decodable {
                let name: String
                let result: String
                let reason: String?
            }

            let cases: [Case]?
        }

        let id: String
        let expect: Expectation
    }

    let name: String
    let path: String

    var testDescription: String { name }

    static let all: [Folder] = {
        let tree = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../Vectors").standardized
        let real = TestFiles.vectors.map { Folder(name: "real evidence", path: $0.path) }
        return [Folder(name: "the tree's own", path: tree.path)] + (real.map { [$0] } ?? [])
    }()
}

@Suite("bootgate-vectors")
struct VerdictTests {
    @Test("gives every case its verdict, and most their reason", arguments: Folder.all)
    fileprivate func verdicts(folder: Folder) throws {
        let index = try JSONDecoder().decode(
            [Folder.Entry].self,
            from: Data(contentsOf: URL(fileURLWithPath: folder.path + "/index.json")))
        let read = try VectorFolder(folder.path)
        let bench = CaseBench(folder: read)
        var count = 0
        var otherWords = 0
        for (entry, expected) in zip(read.entries, index) {
            #expect(entry.id == expected.id)
            for (one, wanted) in zip(entry.cases, expected.expect.cases ?? []) {
                count += 1
                switch bench.verdict(entry, one) {
                case .accept: #expect(wanted.result == "accept", "\(entry.id) \(one.name)")
                case .reject(let reason, let detail):
                    #expect(wanted.result == "reject", "\(entry.id) \(one.name): \(detail)")
                    if reason != wanted.reason { otherWords += 1 }
                case .error(let detail): Issue.record("\(entry.id) \(one.name): \(detail)")
                }
            }
        }
        #expect(count > 400)
        // Another reason may hold as well, and be found first.
        #expect(otherWords <= 5)
    }

    @Test("refuses a folder without an index, and an index of another shape")
    func unusable() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("bootgate-vectors-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func fault(_ index: String?) -> String {
            if let index {
                try? Data(index.utf8).write(to: folder.appendingPathComponent("index.json"))
            }
            do {
                _ = try VectorFolder(folder.path)
                return "read"
            } catch {
                return "\(error)"
            }
        }
        #expect(fault(nil).contains("No such file"))
        #expect(fault("{}").contains("expected an array"))
        #expect(fault(#"[{"id":1}]"#).contains("[0].id: expected a text"))
        #expect(fault(#"[{"id":"a","kind":"b"}]"#).contains("[0].files: missing"))
        #expect(
            fault(
                #"[{"id":"a","kind":"b","files":[],"expect":{"cases":[{"name":"c","verify_time":"x"}]}}]"#
            ).contains("verify_time: expected a time"))
        #expect(fault("[]") == "read")
    }

    @Test("says of a case that it cannot be run, and why")
    func errors() throws {
        let folder = try VectorFolder(try #require(Folder.all.first).path)
        let bench = CaseBench(folder: folder)
        let entry = try #require(folder.entries.first { $0.kind == "snp-report-v3" })
        func verdict(kind: String? = nil, policy: String = "{}", inputs: String = "{}") throws
            -> Verdict
        {
            let limits = JSONReader.Limits(byteCount: 1 << 10)
            var other = entry
            if let kind { other = VectorEntry(id: entry.id, kind: kind, files: [], cases: []) }
            return bench.verdict(
                other,
                try VectorCase(
                    name: "c", time: .string("2026-11-21T00:00:00Z"),
                    inputs: JSONReader.parse(Array(inputs.utf8), limits: limits),
                    policy: JSONReader.parse(Array(policy.utf8), limits: limits)))
        }
        #expect(try verdict(kind: "snp-report-v9") == .error("kind snp-report-v9: unknown"))
        #expect(try verdict(kind: "tpm-quote") != .accept)
        #expect(
            try verdict(policy: #"{"new_rule": true}"#) == .error("policy.new_rule: unknown here"))
        #expect(
            try verdict(inputs: #"{"report_data": "00"}"#)
                == .error("inputs.report_data: expected 64 bytes, got 1"))
        #expect(
            try verdict(policy: #"{"trust_anchor": "../root.der"}"#)
                == .error("files: none is called ../root.der"))
        #expect(throws: VectorFault.self) { try folder.read("../index.json") }
        #expect(throws: VectorFault.self) { try folder.read("/etc/passwd") }
    }
}
