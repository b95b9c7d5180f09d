import AdminAPI
import ArgumentParser
import Bytes
import LUKS
import Linux
import OpenSSL
import Policy
import Protocol

/// `bootgate vm enroll`
struct VMEnroll: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "enroll",
        abstract: "Give a VM's disk a keyslot for the gate, and the broker its key.",
        discussion: """
            The disk is an existing LUKS2 volume (a file or a block device) that one of your \
            passphrases opens. A keyslot and a token are added; gate.conf is written, and what the VM \
            must be launched with is printed. Your own keyslots stay. Enrolling again replaces the \
            keyslot; if it is interrupted anywhere, say it again.

            Examples:
              bootgate vm enroll web-1 --policy web.toml --disk web-1.img
              bootgate vm enroll web-1 --policy web --disk /dev/vg0/web-1 \\
                --broker a.example:7411 --broker b.example:7411
              bootgate vm enroll web-1 --policy web --disk web-1.img --passphrase-fd 3 3< passphrase
            """)

    @Argument(help: "The VM's name: a-z, 0-9, `.` and `-`.")
    var name: String

    @Option(
        help: ArgumentHelp(
            "A policy file, which the broker is given, or the name of a policy it has.",
            valueName: "file or name"),
        completion: .file(extensions: ["toml"]))
    var policy: String?

    @Option(
        help: ArgumentHelp("The LUKS2 volume.", valueName: "path"), completion: .file())
    var disk: String

    @Option(
        help: ArgumentHelp(
            "Where the VM finds a broker; may be repeated.",
            discussion: "Default: the VM's present gate.conf, else enrollment.toml.",
            valueName: "name:port"))
    var broker: [String] = []

    @Option(
        help: ArgumentHelp(
            "Read the present passphrase from this descriptor instead of asking.",
            valueName: "n"))
    var passphraseFd: Int32?

    @Option(
        help: ArgumentHelp("The name of the key, for disks beside the root.", valueName: "name"))
    var keyName = "disk"

    @Option(
        name: [.long, .customLong("directory")],
        help: ArgumentHelp(
            "The folder for gate.conf. (default: the VM's name)", valueName: "directory"),
        completion: .directory)
    var output: String?

    @Option(
        help: ArgumentHelp(
            "Defaults for gate.conf.", discussion: "Default: \(EnrolmentDefaults.usualPath).",
            valueName: "file"),
        completion: .file(extensions: ["toml"]))
    var defaults: String?

    @OptionGroup var global: GlobalOptions

    func execute() throws -> ExitStatus {
        let vm = try Names.vm(name)
        let client = global.client
        let target = EnrolmentDisk(path: disk, rules: LUKS2Rules())
        // Everything that may be refused or take long comes before the first change.
        let header = try target.header()
        let status = try client.status()
        let present = try client.vmIfEnrolled(vm)
        let policy = try choosePolicy(present, client)
        let config = try gateConfig(vm, header, policy, status, present)
        let folder = output ?? vm
        try prepare(folder)
        protectSecrets()
        let owner = try unlock()
        if policy.isFile { _ = try client.store(policy: policy.rules.name, toml: policy.text) }

        let gateConf = config.serialized()
        let result = try Enroller(disk: target, broker: client).enroll(
            EnrolmentPlan(
                vm: vm, keyName: keyName, policy: policy.rules.name, gateConf: gateConf),
            volumeKey: owner.key, ownerKeyslot: owner.number)
        let path = "\(folder)/gate.conf"
        do {
            try File.writeAtomically(path, gateConf, mode: 0o644)
        } catch {
            throw Failure(
                .unusableInput,
                "\(vm) is enrolled, and gate.conf could not be written: \("\(error)".shown)",
                next: "Next: `bootgate vm show \(vm)` prints it.")
        }
        let report = EnrolmentReport(
            result: result, gateConfPath: path,
            advice: LaunchAdvice(digest: OpenSSLHashing().sha256(gateConf), anchor: config.anchor),
            foreign: Self.foreignTokens(header, vm: vm))
        Output.show(report.json, asJSON: global.json, else: report.lines)
        return .success
    }

    /// Finds out now, not after the disk was changed, that gate.conf cannot be written.
    private func prepare(_ folder: String) throws(Failure) {
        let probe = "\(folder)/.bootgate-\(Hex.encode(Random.bytes(4)))"
        do {
            try File.makeDirectories(folder)
            try File.writeAtomically(probe, [])
            try File.remove(probe)
        } catch {
            throw Failure(.unusableInput, "\("\(error)".shown)")
        }
    }

    private func protectSecrets() {
        do {
            try hardenProcess()
        } catch {
            Console.printError("bootgate: keys may be swapped out while this runs: \(error)")
        }
    }

    /// The volume key, by the owner's passphrase.
    private func unlock() throws(Failure) -> OpenedKeyslot {
        let passphrase: SecretBytes
        do {
            if let passphraseFd {
                passphrase = try Terminal.readPassphrase(descriptor: passphraseFd)
            } else {
                passphrase = try Terminal.readPassphrase(
                    prompt: "Passphrase of \(disk.shown) (not echoed)")
            }
        } catch {
            throw Failure(
                .unusableInput, "the passphrase cannot be read: \(error)",
                next: "Next: without a terminal, use --passphrase-fd.")
        }
        do {
            return try LUKSVolume(device: disk).volumeKey(anyKeyslot: passphrase)
        } catch {
            throw Failure(.unusableInput, "\(disk.shown): \(error)")
        }
    }

    private static func foreignTokens(_ header: LUKS2Header, vm: String) -> [String] {
        header.tokens.filter { $0.type == "bootgate" }
            .compactMap { $0.json["vm"]?.string }.filter { $0 != vm }.map(\.shown)
    }
}
