import ArgumentParser
import Bytes
import Evidence
import Linux
import OpenSSL
import Protocol

/// `bootgate-psp fleet`: many launches of one enrolled VM, each with a REPORT_ID of its own.
struct FleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet",
        abstract: "Launch an enrolled VM many times, to put load on a broker.",
        discussion: """
            Each launch is a connection of its own up to the broker's decision; no disk is opened \
            and no outcome is sent. Prints one line of JSON with the decisions and latencies.

            EXAMPLE
              bootgate-psp fleet --dir lab/psp --config web-1/gate.conf --header-digest HEX \\
                --measurement HEX --count 1000
            """)

    /// A configuration is at most this many bytes (docs/protocol.md).
    private static let configLimit = 8 << 10

    @Option(help: ArgumentHelp("What `bootgate-psp init` made.", valueName: "directory"))
    var dir: String

    @Option(help: ArgumentHelp("The VM's gate.conf; its first broker is asked.", valueName: "file"))
    var config: String

    @Option(help: ArgumentHelp("The enrolled LUKS2 header digest.", valueName: "hex"))
    var headerDigest: String

    @Option(help: ArgumentHelp("The launch measurement to report.", valueName: "hex"))
    var measurement: String

    @Option(help: ArgumentHelp("How many launches, one after the other.", valueName: "n"))
    var count: Int = 100

    func run() throws {
        let vm = try vm()
        var processor = try processor(for: vm)
        let fleet = try Fleet(vm: vm)
        var tally = FleetTally()
        for _ in 0..<count {
            let started = Clock.monotonicNanoseconds
            let decision = try fleet.launch(on: &processor)
            tally.add(decision, nanoseconds: Clock.monotonicNanoseconds - started)
        }
        print(tally.json)
    }

    private func processor(for vm: FleetVM) throws -> SimulatedProcessor {
        let content = try PlatformDirectory(path: dir).read()
        let platform = content.platform
        let certificate = content.certificate
        let issuers = content.authority.certificates
        let template = ReportTemplate(
            version: 3, product: platform.product, policy: 0x30000,
            isSignedByVLEK: platform.keyKind == .vlek, tcb: platform.tcb.raw,
            measurement: vm.measurement, hostData: vm.configDigest, reportID: FixedBytes(),
            chipID: platform.reportedChipID)
        return SimulatedProcessor(
            template: template, key: content.takeKey(), certificate: certificate,
            issuers: issuers, floor: 0, faults: [])
    }

    private func vm() throws -> FleetVM {
        guard let header = FixedBytes<32>(hex: headerDigest) else {
            throw PSPFault.unusable("--header-digest: expected 64 hexadecimal digits")
        }
        guard let measurement = FixedBytes<48>(hex: measurement) else {
            throw PSPFault.unusable("--measurement: expected 96 hexadecimal digits")
        }
        let bytes: [UInt8]
        let gate: GateConfig
        do {
            bytes = try File.read(config, atMost: Self.configLimit)
            gate = try GateConfig(parsing: bytes)
        } catch {
            throw PSPFault.unusable("\(config): \(error)")
        }
        return FleetVM(
            config: gate, configDigest: OpenSSLHashing().sha256(bytes), headerDigest: header,
            measurement: measurement)
    }
}
