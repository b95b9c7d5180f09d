import AdminAPI
import ArgumentParser

/// `bootgate why`
struct Why: OwnerCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explain a launch or a report: every check, what was expected and what came.",
        discussion: """
            With the files the VM should have booted, a refused launch digest is compared with the \
            usual variants of that launch: number and type of processors, guest features, kernel \
            hashes on or off, hypervisor.

            Examples:
              bootgate why web-1      the newest launch of web-1
              bootgate why L-00041    the launch that a console named
              bootgate why L-00041 --firmware OVMF.fd --kernel vmlinuz --append quiet
              bootgate why R-00012    a report of a running VM

            Exit code 0: the key was released, or the report held. 1: not.
            """)

    @Argument(
        help: """
            A VM, a launch such as L-00041, a launch id of 32 hexadecimal digits, or a report such as \
            R-00012.
            """)
    var subject: String

    @Option(
        help: ArgumentHelp(
            "The firmware that the VM should have booted.", valueName: "file"),
        completion: .file())
    var firmware: String?

    @OptionGroup var kernel: KernelOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if firmware == nil, kernel.kernel != nil {
            throw ValidationError("--kernel goes with --firmware")
        }
    }

    func execute() throws -> ExitStatus {
        if subject.hasPrefix("R-") { return try explainReport() }
        let launch = try global.client.launch(reference(global.client))
        let explanation = try firmware.flatMap { path throws(Failure) in
            try LaunchVariants(firmware: path, kernel: kernel).explanation(launch, global.client)
        }
        Output.show(
            WhyAnswer(launch: launch, explanation: explanation), asJSON: global.json,
            else: WhyReport(launch: launch, explanation: explanation?.sentence).lines(.standard))
        return launch.decision == .released ? .success : .refused
    }

    private func explainReport() throws(Failure) -> ExitStatus {
        let report = try global.client.report(subject)
        Output.show(report, asJSON: global.json, else: ReportText(report: report).lines(.standard))
        return report.verdict == "trusted" ? .success : .refused
    }

    private func reference(_ client: AdminClient) throws(Failure) -> String {
        if Self.isReference(subject) { return subject }
        let vm = try Names.vm(subject)
        guard let newest = try client.launches(vm: vm, limit: 1).launches.first else {
            throw Failure(
                .unusableInput, "\(vm) has not asked for its key yet",
                next: "Next: start the VM; `bootgate vm list` shows which VMs are enrolled.")
        }
        return newest.reference
    }

    /// Names of VMs have no capitals, and nobody names one by 32 hexadecimal digits.
    static func isReference(_ text: String) -> Bool {
        let isID = text.utf8.count == 32 && text.allSatisfy(\.isHexDigit)
        return isID || text.hasPrefix("L-")
    }
}

/// The broker's record, and what was found out about its measurement.
private struct WhyAnswer: Encodable {
    let launch: LaunchRecord
    let explanation: LaunchVariants.Explanation?

    private enum Key: String, CodingKey {
        case variant
    }

    func encode(to encoder: any Encoder) throws {
        try launch.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encodeIfPresent(explanation, forKey: .variant)
    }
}
