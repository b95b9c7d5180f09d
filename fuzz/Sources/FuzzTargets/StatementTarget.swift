import Bytes
import Evidence

/// Statements of running VMs: what is accepted survives its own text.
enum StatementTarget {
    static func run(_ input: [UInt8]) {
        guard let statement = try? RuntimeStatement(parsing: input) else { return }
        let again = try? RuntimeStatement(parsing: statement.encoded())
        precondition(again == statement, "a statement changes in its own text")
    }

    static var seeds: [[UInt8]] {
        let statement = RuntimeStatement(
            vm: "web-1", hostName: "web", certificate: FixedBytes(), attestationKeyName: [0, 11],
            sshHostKeys: [.init(kind: "ssh-ed25519", digest: FixedBytes())], bootID: "5a3f",
            snapshot: FixedBytes())
        return [statement.encoded()]
    }
}
