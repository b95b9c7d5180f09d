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
            if global.json {
                Console.print(
                    JSONText.pretty(
                        PolicyRecord(
                            name: policy.rules.name, identity: policy.identity,
                            toml: policy.text, created: 0)))
                return .success
            }
            Console.print("Policy \"\(policy.rules.name.shown)\" can be used.")
            for line in ["", "  identity       \(policy.identity)"] + policy.summary {
                Console.print(line)
            }
            if policy.rules.measurements.isEmpty {
                Console.print("")
                Console.print("It names no [[measurement]], so it permits nothing.")
            }
            return .success
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
            Console.print(
                global.json
                    ? JSONText.pretty(record)
                    : "Policy \"\(record.name.shown)\" stored, identity \(record.identity.shown).")
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
            if global.json {
                Console.print(JSONText.pretty(list))
            } else if list.policies.isEmpty {
                Console.print("No policy yet; `bootgate policy add FILE` stores one.")
            } else {
                let screen = Screen.standard
                var table = Table(["POLICY", "VMS", "STORED", "IDENTITY"])
                table.rows = list.policies.map { policy in
                    [
                        .init(policy.name), .init(policy.vms.map { "\($0)" } ?? "-"),
                        .init(screen.time(policy.created)), .init(policy.identity),
                    ]
                }
                for line in table.lines(screen) { Console.print(line) }
            }
            return .success
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
            if global.json {
                Console.print(JSONText.pretty(record))
            } else {
                for line in (record.toml ?? "").split(
                    separator: "\n", omittingEmptySubsequences: false
                ).dropLast((record.toml ?? "").hasSuffix("\n") ? 1 : 0) {
                    Console.print(String(line).shown)
                }
            }
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
