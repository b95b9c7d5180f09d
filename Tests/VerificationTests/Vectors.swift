import Bytes
import Foundation
import TestSupport
import Testing

/// The folder of real evidence that `BOOTGATE_VECTORS` names; it is not part of the repository.
enum Vectors {
    static var arePresent: Bool { TestFiles.vectors != nil }

    static func bytes(_ path: String) throws -> [UInt8] {
        guard let folder = TestFiles.vectors else { throw CocoaError(.fileNoSuchFile) }
        return try TestFiles.bytes(folder.appendingPathComponent(path))
    }

    /// Every entry of the index whose kind is one of `kinds`.
    static func entries(_ kinds: Set<String>) throws -> [VectorEntry] {
        guard arePresent else { return [] }
        let index = Data(try bytes("index.json"))
        return try JSONDecoder().decode([Lossy].self, from: index)
            .compactMap(\.entry)
            .filter { kinds.contains($0.kind) }
    }

    /// Entries of other kinds may have another shape, so they are passed over.
    private struct Lossy: Decodable {
        let entry: VectorEntry?

        init(from decoder: any Decoder) throws {
            entry = try? VectorEntry(from: decoder)
        }
    }
}

/// One entry of `index.json`, as its README describes it.
struct VectorEntry: Decodable, Sendable {
    struct File: Decodable, Sendable {
        let path: String
        let role: String
    }

    struct Case: Decodable, Sendable {
        let name: String
        let result: String
        let reason: String?
        let verify_time: String?
        let inputs: [String: String]?
        let policy: CasePolicy?

        /// Unix seconds; nil where the time does not matter.
        var time: Int64? {
            verify_time.flatMap { try? Date($0, strategy: .iso8601) }
                .map { Int64($0.timeIntervalSince1970) }
        }
    }

    struct CasePolicy: Decodable, Sendable {
        let allow_debug: Bool?
        let vmpl: UInt8?
        let require_vcek: Bool?
        let measurement: String?
        let minimum_tcb: [String: UInt8]?
        let forbid_sha1_bank: Bool?
        let collateral: String?
        let mr_td: String?
        let trust_anchor: String?
        let accepted_tcb_statuses: [String]?
    }

    struct Expectation: Decodable, Sendable {
        let parse: String?
        let report_signature: Bool?
        let certificate_chain: Bool?
        let chip_id_equals_cert: Bool?
        let reported_tcb_equals_cert: Bool?
        let cases: [Case]
    }

    let id: String
    let kind: String
    let tags: [String]
    let files: [File]
    let expect: Expectation

    func file(_ role: String) throws -> [UInt8] {
        guard let file = files.first(where: { $0.role == role }) else {
            throw CocoaError(.fileNoSuchFile)
        }
        return try Vectors.bytes(file.path)
    }
}

extension VectorEntry: CustomTestStringConvertible {
    var testDescription: String { id }
}
