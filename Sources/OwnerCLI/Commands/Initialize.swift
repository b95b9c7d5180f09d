import AdminAPI
import ArgumentParser
import Bytes
import OpenSSL
import Protocol
import Settings

/// `bootgate init`
struct Initialize: OwnerCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a broker's keys, certificate and configuration.",
        discussion: """
            Makes the TLS key and its self-signed certificate, the key that wraps disk keys in the \
            database, broker.toml, and enrollment.toml with the addresses that VMs are given. Nothing \
            that exists is overwritten.

            Examples:
              bootgate init --address broker.example:7411
              bootgate init --directory ./try --listen 127.0.0.1:7411 --address 10.0.2.2:7411
            """)

    @Option(
        help: ArgumentHelp(
            "Where the files go.",
            discussion: "With another directory than the default, the broker's state and its admin "
                + "socket are in there too.",
            valueName: "path"),
        completion: .directory)
    var directory = "/etc/bootgate"

    @Option(
        help: ArgumentHelp("Where the broker listens; may be repeated.", valueName: "address:port"))
    var listen: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where VMs find the broker; may be repeated.", valueName: "name:port"))
    var address: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where health and metrics are served, or `off`.", valueName: "address:port"))
    var health = "127.0.0.1:7412"

    @Flag(help: "Also make a spare TLS key, to be kept elsewhere, that VMs accept from the start.")
    var spare = false

    @OptionGroup var global: GlobalOptions

    func execute() throws -> ExitStatus {
        let plan = try BrokerSetup(self)
        let pins = try plan.write()
        let report = Report(
            config: plan.configPath, pin: pins.live.hex, sparePin: pins.spare?.hex,
            addresses: plan.addresses.map(\.description), socket: plan.socketPath)
        Output.show(report, asJSON: global.json, else: lines(plan, pins))
        return .success
    }

    private struct Report: Encodable {
        let config: String
        let pin: String
        let sparePin: String?
        let addresses: [String]
        let socket: String
    }

    private func lines(_ plan: BrokerSetup, _ pins: BrokerSetup.Pins) -> [String] {
        var lines = [
            "A broker is set up in \(plan.directory.shown).", "",
            "  key pin        sha256:\(pins.live.hex)",
        ]
        if let spare = pins.spare {
            lines.append("  spare pin      sha256:\(spare.hex)")
        }
        lines += [
            "  wrapping key   \(plan.wrappingKeyPath.shown): without it the database is worthless, so "
                + "keep a copy of it elsewhere",
            "",
        ]
        if pins.spare != nil {
            lines.append("Move \(plan.spareKeyPath.shown) to a safe place, off this machine.")
        }
        if plan.addresses.isEmpty {
            lines.append(
                "No --address was given; `bootgate vm enroll` will want --broker NAME:PORT.")
        }
        lines += [
            "Next: `bootgate-broker --config \(plan.configPath.shown)`, or "
                + "`systemctl enable --now bootgate-broker`;",
            "then `bootgate policy add FILE` and `bootgate vm enroll NAME --disk FILE`.",
        ]
        if plan.socketPath != AdminClient.defaultSocket {
            lines.append(
                "Tell bootgate where: `export BOOTGATE_SOCKET=\(plan.socketPath.shown)`.")
        }
        return lines
    }
}
