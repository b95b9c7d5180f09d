import ArgumentParser
import Bytes
import Evidence
import Linux
import OpenSSL

/// `bootgate-psp endorsements`
struct EndorsementsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endorsements",
        abstract: "Write a chip's certificates and list into a broker's folder of endorsements.",
        discussion: """
            The VCEK, its issuers and the root's revocation list, named as AMD's service would give \
            them. `tdx collateral --folder` does the same for a TDX machine.

            EXAMPLE
              bootgate-psp endorsements --dir lab/psp --folder lab/broker/endorsements

            FAULTS
              revoked-intermediate, expired-list
            """)

    @Option(help: ArgumentHelp("The folder that `init` filled.", valueName: "folder"))
    var dir: String

    @Option(help: ArgumentHelp("The broker's folder.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("What goes wrong; see FAULTS.", valueName: "fault"))
    var fault: [Fault] = []

    func validate() throws {
        for fault in fault where ![.revokedIntermediate, .expiredList].contains(fault) {
            throw ValidationError("--fault \(fault.name) is not one of endorsements")
        }
    }

    func run() throws {
        let content = try PlatformDirectory(path: dir).read()
        let platform = content.platform
        let kind = platform.keyKind == .vlek ? "vlek" : "vcek"
        let product = platform.product.rawValue
        let issuers = content.authority.certificates
        let list = try CRLCommand.list(platform, content.authority, byIntermediate: false, fault)
        var files: [(folder: String, name: String, bytes: [UInt8])] = [
            (
                product, "\(kind)_issuers.pem",
                TDXAuthority.pem([issuers.intermediate, issuers.root])
            ),
            (product, "crl.der", list),
        ]
        if kind == "vcek" {
            files.append(
                (Self.chip(platform), "\(Self.versions(platform)).der", content.certificate))
        }
        try PSPFault.writing { () throws(SystemError) in
            for file in files {
                try File.makeDirectories("\(folder)/\(file.folder)", mode: 0o755)
                try File.writeAtomically(
                    "\(folder)/\(file.folder)/\(file.name)", file.bytes, mode: 0o644)
            }
        }
    }

    private static func chip(_ platform: Platform) -> String {
        "vcek/" + platform.chipID.hex.prefix(platform.product == .turin ? 16 : 128)
    }

    /// The name of a set of firmware versions, such as `bl04_tee00_snp24_ucode219`.
    private static func versions(_ platform: Platform) -> String {
        let parts: [(TCBComponent, String)] = [
            (.bootloader, "bl"), (.tee, "tee"), (.snp, "snp"), (.microcode, "ucode"), (.fmc, "fmc"),
        ]
        return parts.compactMap { component, name in
            platform.tcb.values[component].map { $0 < 10 ? "\(name)0\($0)" : "\(name)\($0)" }
        }
        .joined(separator: "_")
    }
}
