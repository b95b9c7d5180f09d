import AdminAPI
import Bytes
import Protocol

/// What an owner may want to know of a VM.
struct VMReport {
    let vm: VMRecord

    func lines(_ screen: Screen) -> [String] {
        let state =
            vm.state == .enabled
            ? "enabled" : "disabled" + (vm.disabledReason.map { " (\($0.shown))" } ?? "")
        var lines = [
            "\(vm.id) is \(state).", "",
            "  policy         \(vm.policy.shown), \(vm.policyIdentity.shown)",
            "  volume         \(vm.luksUUID.shown), keyslot \(vm.keyslot), "
                + "key \"\(vm.keyName.shown)\"",
            "  disk header    \(vm.headerDigest.shown)",
            "  enrolled       \(screen.time(vm.created)), changed \(screen.time(vm.updated))",
            "  last launch    \(vm.lastLaunch?.shown ?? "none")",
            "", "gate.conf:",
        ]
        lines += vm.gateConf.split(separator: "\n").map { "  " + String($0).shown }
        if let launch = LaunchAdvice(configDigestHex: vm.configDigest, gateConf: vm.gateConf) {
            lines += [""] + launch.lines(configPath: "gate.conf")
        }
        return lines
    }
}

/// What a VM must be launched with, so that the processor vouches for its `gate.conf`.
struct LaunchAdvice {
    let digest: FixedBytes<32>
    let anchor: GateConfig.Anchor

    init(digest: FixedBytes<32>, anchor: GateConfig.Anchor) {
        self.digest = digest
        self.anchor = anchor
    }

    init?(configDigestHex: String, gateConf: String) {
        guard let digest = FixedBytes<32>(hex: configDigestHex),
            let config = try? GateConfig(parsing: Array(gateConf.utf8))
        else { return nil }
        self.init(digest: digest, anchor: config.anchor)
    }

    var hostData: String { Base64.encode(digest.bytes) }

    /// The object of QEMU that sets HOST_DATA.
    var qemuObject: String {
        "sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,kernel-hashes=on,"
            + "host-data=\(hostData)"
    }

    var libvirt: [String] {
        [
            "<launchSecurity type='sev-snp' kernelHashes='yes'>",
            "  <hostData>\(hostData)</hostData>",
            "</launchSecurity>",
        ]
    }

    /// Without the first the agent refuses to run: systemd would take files that the host hands in.
    static let commandLine = "systemd.import_credentials=no systemd.gpt_auto=0 rd.shell=0"

    func lines(configPath: String) -> [String] {
        anchorLines(configPath: configPath)
            + ["Its kernel command line, which is measured, needs `\(Self.commandLine)`."]
    }

    private func anchorLines(configPath: String) -> [String] {
        switch anchor {
        case .hostData:
            return [
                "Launch the VM with this HOST_DATA, or the gate will refuse it:",
                "  base64   \(hostData)",
                "  hex      \(digest.hex)",
                "  qemu     -object \(qemuObject)",
                "           -fw_cfg name=opt/bootgate/gate.conf,file=\(configPath)",
            ] + zip(["  libvirt  ", "           ", "           "], libvirt).map(+)
        case .mrconfigid:
            return [
                "Launch the VM with this MRCONFIGID, or the gate will refuse it:",
                "  hex      \(digest.hex)\(String(repeating: "0", count: 32))",
            ]
        case .measuredImage:
            return [
                "Put \(configPath) into the measured image as /etc/bootgate/gate.conf;",
                "its SHA-256 is \(digest.hex).",
            ]
        }
    }
}
