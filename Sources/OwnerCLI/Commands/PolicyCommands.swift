import AdminAPI
import ArgumentParser
import Bytes
import Linux
import OpenSSL
import Policy
import Settings

/// `bootgate policy`
struct PolicyCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Say what a VM must prove before its disk opens.",
        subcommands: [Check.self, Add.self, List.self, Show.self])

    /// `bootgate policy check`
    struct Check: OwnerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read a policy file and say what it demands; needs no broker.",
            discussion: """
                Example:
                  bootgate policy check web.toml

                Exit code 2: the file cannot be used; the message names the key.
                """)

        @Argument(help: "A policy in TOML.", completion: .file(extensions: ["toml"]))
        var file: String
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let policy = try PolicyFile(path: file)
            Output.show(
                PolicyRecord(
                    name: policy.rules.name, identity: policy.identity, toml: policy.text,
                    created: 0),
                asJSON: global.json, else: Self.lines(policy))
            return .success
        }

        private static func lines(_ policy: PolicyFile) -> [String] {
            [
                "Policy \"\(policy.rules.name.shown)\" can be used.", "",
                "  identity       \(policy.identity)",
            ] + policy.summary
                + (policy.rules.measurements.isEmpty
                    ? ["", "It names no [[measurement]], so it permits nothing."] : [])
        }
    }

    /// `bootgate policy add`
    struct Add: OwnerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give the broker a policy, or replace the one of the same name.",
            discussion: """
                The next launch of each VM under that name is judged by the new text.

                Example:
                  bootgate policy add web.toml
                """)

        @Argument(help: "A policy in TOML.", completion: .file(extensions: ["toml"]))
        var file: String
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let policy = try PolicyFile(path: file)
            let record = try global.client.store(policy: policy.rules.name, toml: policy.text)
            Output.show(
                record, asJSON: global.json,
                else: [
                    "Policy \"\(record.name.shown)\" stored, identity \(record.identity.shown)."
                ])
            return .success
        }
    }

    /// `bootgate policy list`
    struct List: OwnerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the broker's policies.",
            discussion: "Example:\n  bootgate policy list")

        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let list = try global.client.policies()
            Output.show(
                list, asJSON: global.json,
                else: list.policies.isEmpty
                    ? ["No policy yet; `bootgate policy add FILE` stores one."]
                    : Self.table(list.policies, .standard).lines(.standard))
            return .success
        }

        private static func table(_ policies: [PolicyRecord], _ screen: Screen) -> Table {
            var table = Table(["POLICY", "VMS", "STORED", "IDENTITY"])
            table.rows = policies.map { policy in
                [
                    .init(policy.name), .init(policy.vms.map { "\($0)" } ?? "-"),
                    .init(screen.time(policy.created)), .init(policy.identity),
                ]
            }
            return table
        }
    }

    /// `bootgate policy show`
    struct Show: OwnerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a policy as it was stored.",
            discussion: "Example:\n  bootgate policy show web > web.toml")

        @Argument(help: "The policy.") var name: String
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let record = try global.client.policy(name)
            let text = record.toml ?? ""
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                .dropLast(text.hasSuffix("\n") ? 1 : 0)
            Output.show(record, asJSON: global.json, else: lines.map { String($0).shown })
            return .success
        }
    }
}

/// A policy file that was found sound.
struct PolicyFile {
    let text: String
    let rules: PolicyRules
    let identity: String

    init(path: String) throws(Failure) {
        let bytes: [UInt8]
        do {
            bytes = try File.read(path, atMost: 256 << 10)
        } catch {
            throw Failure(.unusableInput, "policy \(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.unusableInput, "policy \(path.shown): expected UTF-8 text")
        }
        try self.init(text: text, source: path)
    }

    init(text: String, source: String) throws(Failure) {
        do {
            let policy = try AppraisalPolicy(toml: text)
            self.text = text
            rules = policy.rules
            identity = policy.identity(hashing: OpenSSLHashing()).hex
        } catch {
            throw Failure(
                .unusableInput, "policy \(source.shown): \("\(error)".shown)",
                next: "Next: docs/policy.md explains each key.")
        }
    }

    var summary: [String] { PolicySummary(rules: rules).lines }
}
