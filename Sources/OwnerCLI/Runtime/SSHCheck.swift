import Bytes
import Evidence
import Linux
import OpenSSL
import Policy

/// Whether an SSH server offers the keys that the statement names, by ssh-keyscan(1).
///
/// The program asks which keys a server has and not whether it holds their other halves; whoever then connects
/// with such a key in known_hosts finds that out.
struct SSHCheck {
    /// In findings.
    static let check = "SSH host keys"
    static let defaultPort: UInt16 = 22

    private static let program = "/usr/bin/ssh-keyscan"
    private static let milliseconds: UInt64 = 15_000
    private static let expected = "keys that the statement names"

    let address: ServerAddress
    let keys: [RuntimeStatement.SSHHostKey]

    /// Refuses to begin where the check could not be made: what was asked for is never left out.
    static func needProgram() throws(Failure) {
        guard File.exists(program) else {
            throw Failure(
                .unusableInput, "--ssh: there is no \(program)",
                next: "Next: install openssh-client, or leave --ssh out.")
        }
    }

    func finding() -> Finding {
        do throws(SystemError) {
            let result = try Subprocess.run(
                [Self.program, "-T", "5", "-p", "\(address.port)", "--", address.host],
                outputAtMost: 64 << 10, milliseconds: Self.milliseconds)
            return finding(
                offered: Self.keys(result.output), complaint: Self.complaint(result.output))
        } catch {
            return finding(.refused, "\(address): \("\(error)".shown)")
        }
    }

    /// Every key that is offered has to be one of the statement's: one that is not may be a proxy's.
    ///
    /// - Parameter complaint: what ssh-keyscan said beside the keys.
    func finding(
        offered: [RuntimeStatement.SSHHostKey], complaint: String? = nil
    ) -> Finding {
        guard !offered.isEmpty else {
            let reason = complaint.map { ": \($0.shown)" } ?? ""
            return finding(.refused, "\(address) offers none\(reason)")
        }
        let strange = offered.filter { !keys.contains($0) }
        guard strange.isEmpty else {
            return finding(
                .refused, "\(address) offers \(strange.map(Self.text).joined(separator: ", "))")
        }
        return finding(.ok, "\(address) offers \(offered.map(\.kind).joined(separator: ", "))")
    }

    /// The first of ssh-keyscan's lines that is neither a key nor a comment.
    static func complaint(_ output: [UInt8]) -> String? {
        output.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
            .first { !$0.hasPrefix("#") && keys(Array($0.utf8)).isEmpty }
    }

    /// The keys in ssh-keyscan's lines: host, kind and base64 of the blob.
    static func keys(_ output: [UInt8]) -> [RuntimeStatement.SSHHostKey] {
        var keys: [RuntimeStatement.SSHHostKey] = []
        for line in output.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
                .map { String(decoding: $0, as: UTF8.self) }
            guard words.count == 3, !words[0].hasPrefix("#"), let blob = Base64.decode(words[2])
            else { continue }
            let key = RuntimeStatement.SSHHostKey(
                kind: words[1], digest: OpenSSLHashing().sha256(blob))
            if !keys.contains(key) { keys.append(key) }
        }
        return keys
    }

    private static func text(_ key: RuntimeStatement.SSHHostKey) -> String {
        "\(key.kind) \(key.digest.hex)"
    }

    private func finding(_ outcome: Finding.Outcome, _ actual: String) -> Finding {
        Finding(check: Self.check, outcome: outcome, expected: Self.expected, actual: actual)
    }
}
