import AdminAPI
import ArgumentParser
import Linux

/// `bootgate why`
struct Why: OwnerCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explain a launch: every check, what was expected and what came.",
        discussion: """
            Examples:
              bootgate why web-1      the newest launch of web-1
              bootgate why L-00041    the launch that a console named

            Exit code 0: the key was released. 1: it was refused or held.
            """)

    @Argument(help: "A VM, a launch such as L-00041, or a launch id of 32 hexadecimal digits.")
    var subject: String

    @OptionGroup var global: GlobalOptions

    func execute() throws -> ExitStatus {
        let launch = try global.client.launch(reference(global.client))
        if global.json {
            Console.print(JSONText.pretty(launch))
        } else {
            for line in WhyReport(launch: launch).lines(.standard) { Console.print(line) }
        }
        return launch.decision == .released ? .success : .refused
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
