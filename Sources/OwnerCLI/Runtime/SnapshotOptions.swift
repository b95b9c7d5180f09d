import ArgumentParser
import Evidence
import Linux

/// What `bootgate snapshot` and `bootgate update end` have in common.
struct SnapshotOptions: ParsableArguments {
    @OptionGroup var agent: AgentOptions
    @Option(
        help: ArgumentHelp(
            "Your key, P-256 in PEM.",
            discussion: "Default: $XDG_CONFIG_HOME/bootgate/snapshot.key, made at first use.",
            valueName: "file"), completion: .file())
    var key: String?
    @Flag(
        help: ArgumentHelp(
            "Register it although another key has signed those before.",
            discussion: "Later ones then have to be signed by the new key."))
    var replaceSigner = false
    @OptionGroup var judging: RuntimeJudgeOptions
    @OptionGroup var global: GlobalOptions

    /// Has the agent make a snapshot, to be kept at `path`; nil, and told why, where the VM did not prove it.
    ///
    /// - Parameter vm: the VM that it has to be of; nil for any.
    func take(
        of vm: String?, from client: AgentClient, for path: String
    ) throws(Failure) -> SnapshotTaker.Taken? {
        try OwnerKey.check(key)
        let taken = try SnapshotTaker(
            client: client, judge: try judging.judge(), showsProgress: !global.json
        ).take(beside: path)
        let outcome = taken.report.outcome
        guard outcome.isTrusted else {
            _ = taken.report.print(asJSON: global.json)
            Console.printError("No snapshot was written; \(path.shown) is as it was.")
            return nil
        }
        if let vm, let stated = outcome.statement.vm, stated != vm {
            throw Failure(
                .unusableInput, "the agent at \(client.address) is \(stated.shown), not \(vm)",
                next: "Next: look at --url.")
        }
        return taken
    }
}
