import AdminAPI
import Bytes
import LUKS
import Linux
import Policy
import Protocol

extension VMEnroll {
    /// The policy of the command line, or the one that the VM has.
    func choosePolicy(
        _ present: VMRecord?, _ client: AdminClient
    ) throws(Failure) -> ChosenPolicy {
        guard let policy = policy ?? present?.policy else {
            throw Failure(
                .usage, "--policy is missing",
                next: "Next: name a policy file, or a policy that "
                    + "`bootgate policy list` shows.")
        }
        // A name has no slash and no dot; whatever looks like a path is one.
        if policy.contains("/") || policy.contains(".") || File.exists(policy) {
            return ChosenPolicy(file: try PolicyFile(path: policy), isFile: true)
        }
        let record = try client.policy(policy)
        return ChosenPolicy(
            file: try PolicyFile(text: record.toml ?? "", source: policy), isFile: false)
    }

    /// What the VM is to be told: by the command line, else as before, else by the defaults.
    func gateConfig(
        _ vm: String, _ header: LUKS2Header, _ policy: ChosenPolicy, _ status: BrokerStatus,
        _ present: VMRecord?
    ) throws(Failure) -> GateConfig {
        let before = present.flatMap { try? GateConfig(parsing: Array($0.gateConf.utf8)) }
        let defaults = try EnrolmentDefaults.read(self.defaults)
        var brokers: [BrokerAddress] = []
        for text in broker { brokers.append(try Names.broker(text)) }
        if brokers.isEmpty { brokers = before?.brokers ?? defaults.brokers }
        guard !brokers.isEmpty else {
            throw Failure(
                .usage, "nothing says where \(vm) finds the broker",
                next: "Next: add --broker NAME:PORT, as the VM reaches it.")
        }
        guard let keyName = KeyName(keyName), let identifier = VMIdentifier(vm) else {
            throw Failure(
                .unusableInput, "key name \"\(keyName.shown)\": expected a-z, 0-9, `.`, `-`, `_`")
        }
        var pins = status.pins.compactMap { FixedBytes<32>(hex: $0) }
        pins += defaults.sparePins.filter { !pins.contains($0) }
        do {
            return try GateConfig(
                vm: identifier, brokers: brokers, pins: pins, device: header.uuid.lowercased(),
                name: before?.name ?? "root", keyName: keyName,
                anchor: .init(policy.rules.anchor),
                tpmQuote: policy.rules.tpm.needsQuote || before?.tpmQuote ?? false,
                onUnreachable: before?.onUnreachable ?? .retry,
                onRefused: before?.onRefused ?? .poweroff,
                onOpenFailure: before?.onOpenFailure ?? .poweroff)
        } catch {
            throw Failure(.unusableInput, "gate.conf: \("\(error)".shown)")
        }
    }
}

/// The policy of an enrolment, and whether it came as a file that the broker has to be given.
struct ChosenPolicy {
    let rules: PolicyRules
    let text: String
    let isFile: Bool

    init(file: PolicyFile, isFile: Bool) {
        rules = file.rules
        text = file.text
        self.isFile = isFile
    }
}
