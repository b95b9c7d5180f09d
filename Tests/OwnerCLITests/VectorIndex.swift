import Bytes
import Foundation
import Testing

/// A case of an index of vectors, with the arguments that `bootgate appraise` takes for it.
struct VectorAppraisal: Sendable, CustomTestStringConvertible {
    let id: String
    let name: String
    let arguments: [String]
    /// Whether the index says that it is to be accepted.
    let isAccepted: Bool
    /// Why not, in the index's words.
    let reason: String?

    var testDescription: String { "\(id), \(name)" }

    /// The self-made ones, which are part of the tree.
    static let ownFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Vectors").standardized

    /// One case for each kind of evidence, options and reason; cases whose rules only a policy file could
    /// say are left out.
    static func representative(of folder: URL) throws -> [VectorAppraisal] {
        var seen: Set<String> = []
        return try all(of: folder).filter { appraisal in
            seen.insert(
                "\(appraisal.arguments[1]) \(appraisal.reason ?? "accept") "
                    + appraisal.arguments.filter { $0.hasPrefix("--") }.joined()
            ).inserted
        }
    }

    private static func all(of folder: URL) throws -> [VectorAppraisal] {
        let index = folder.appendingPathComponent("index.json")
        let entries = try JSONDecoder().decode([Entry].self, from: Data(contentsOf: index))
        return entries.flatMap { entry in
            entry.expect.cases.compactMap { one in
                entry.arguments(one, in: folder).map {
                    VectorAppraisal(
                        id: entry.id, name: one.name, arguments: $0,
                        isAccepted: one.result == "accept", reason: one.reason)
                }
            }
        }
    }

    private struct Entry: Decodable {
        struct File: Decodable {
            let path: String
            let role: String
        }

        struct Cases: Decodable { let cases: [Case] }

        let id: String
        let kind: String
        let files: [File]
        let expect: Cases

        func files(_ role: String, in folder: URL) -> [String] {
            files.filter { $0.role == role }.map { folder.appendingPathComponent($0.path).path }
        }

        func arguments(_ one: Case, in folder: URL) -> [String]? {
            let policy = one.policy ?? [:]
            let known: Set = ["trust_anchor", "collateral", "forbid_sha1_bank"]
            guard Set(policy.keys).isSubset(of: known) else { return nil }
            var arguments: [String]
            switch kind {
            case "snp-report-v2", "snp-report-v3", "snp-report-v5":
                arguments = ["snp"] + options([("report", "--report")], folder) + amd(folder)
            case "tdx-quote-v4", "tdx-quote-v5":
                arguments = ["tdx"] + options([("tdx-quote", "--quote")], folder)
            case "tdreport": arguments = ["tdx"] + options([("tdreport", "--quote")], folder)
            case "azure-hcl-snp", "azure-hcl-tdx":
                arguments =
                    ["azure"]
                    + options(
                        [
                            ("azure-hcl-report", "--hcl-report"), ("tpms-attest", "--tpm-quote"),
                            ("rsassa-sha256-signature-raw", "--tpm-signature"),
                            ("pcr-values", "--pcrs"), ("tdx-quote", "--td-quote"),
                        ], folder) + amd(folder)
            case "tpm-quote":
                arguments =
                    ["tpm-quote"]
                    + options(
                        [
                            ("tpms-attest", "--quote"), ("tpmt-signature", "--signature"),
                            ("pcr-values", "--pcrs"), ("ak-public-key-spki", "--key"),
                            ("ak-tpmt-public", "--key"), ("ak-tpm2b-public", "--key"),
                        ], folder)
            case "ima-log-binary", "ima-log-ascii":
                arguments = ["ima"] + options([(kind, "--log")], folder)
            default: return nil
            }
            guard let inputs = inputs(one.inputs ?? [:]) else { return nil }
            arguments += inputs
            if policy["collateral"] != .text("none") {
                arguments += options([("tdx-collateral", "--collateral")], folder)
            }
            if policy["forbid_sha1_bank"] == .flag(true) { arguments.append("--forbid-sha1") }
            if case .text(let anchor)? = policy["trust_anchor"] {
                guard let file = files.first(where: { $0.path.hasSuffix("/" + anchor) }) else {
                    return nil
                }
                arguments += ["--root", folder.appendingPathComponent(file.path).path]
            }
            if let time = one.verify_time { arguments += ["--at", time] }
            return ["appraise"] + arguments
        }

        private func options(_ names: [(role: String, option: String)], _ folder: URL) -> [String] {
            names.flatMap { name in
                files(name.role, in: folder).flatMap { [name.option, $0] }
            }
        }

        private func amd(_ folder: URL) -> [String] {
            options(
                [
                    ("vcek-der", "--vcek"), ("vlek-der", "--vcek"), ("ask-der", "--ask"),
                    ("asvk-der", "--ask"), ("ark-der", "--ark"), ("crl", "--crl"),
                ], folder)
        }

        private func inputs(_ inputs: [String: Value]) -> [String]? {
            var arguments: [String] = []
            for (name, value) in inputs.sorted(by: { $0.key < $1.key }) {
                switch (name, value) {
                case ("report_data", .text(let hex)): arguments += ["--report-data", hex]
                case ("nonce", .text(let hex)): arguments += ["--nonce", hex]
                case ("pcr10", .object(let banks)):
                    for (bank, value) in banks.sorted(by: { $0.key < $1.key }) {
                        guard case .text(let hex) = value else { return nil }
                        arguments += ["--pcr10", "\(bank):\(hex)"]
                    }
                default: return nil
                }
            }
            return arguments
        }
    }

    private struct Case: Decodable {
        let name: String
        let result: String
        let reason: String?
        let verify_time: String?
        let inputs: [String: Value]?
        let policy: [String: Value]?
    }

    /// Any JSON, as far as it matters here.
    private enum Value: Decodable, Equatable {
        case text(String)
        case flag(Bool)
        case object([String: Value])
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let object = try? container.decode([String: Value].self) {
                self = .object(object)
            } else {
                self = .other
            }
        }
    }
}
