import ArgumentParser
import Linux
import OpenSSL

/// `bootgate-psp crl`
struct CRLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crl",
        abstract: "Write a revocation list of a simulated chip's vendor.",
        discussion: """
            By the root, as AMD publishes them, or with --intermediate by the ASK or ASVK. It was \
            issued a day before and lasts 30 days.

            EXAMPLE
              bootgate-psp crl --dir lab/psp --out lab/crl.der --fault revoked-intermediate

            FAULTS
              revoked-intermediate  the root's list names the ASK or ASVK
              revoked-key           the list of the ASK or ASVK names the chip's key
              expired-list          it ended now
            """)

    @Option(help: ArgumentHelp("The folder that `init` filled.", valueName: "folder"))
    var dir: String

    @Option(help: ArgumentHelp("The list to write, DER.", valueName: "file"))
    var out: String

    @Flag(help: "The list of the ASK or ASVK, in place of the root's.")
    var intermediate = false

    @Option(help: ArgumentHelp("What goes wrong; see FAULTS.", valueName: "fault"))
    var fault: [Fault] = []

    func validate() throws {
        for fault in fault
        where ![.revokedIntermediate, .revokedKey, .expiredList].contains(fault) {
            throw ValidationError("--fault \(fault.name) is not one of a list")
        }
    }

    func run() throws {
        let content = try PlatformDirectory(path: dir).read()
        let byIntermediate = intermediate || fault.contains(.revokedKey)
        let list = try Self.list(
            content.platform, content.authority, byIntermediate: byIntermediate, fault)
        try PSPFault.writing { () throws(SystemError) in
            try File.writeAtomically(out, list, mode: 0o644)
        }
    }

    /// A list as `faults` want it.
    static func list(
        _ platform: Platform, _ authority: borrowing Authority, byIntermediate: Bool,
        _ faults: [Fault]
    ) throws(CryptoError) -> [UInt8] {
        let now = Clock.realtime
        let day: Int64 = 86400
        let issuer = Authority.intermediateTemplate(platform.product, platform.keyKind, now: now)
        var serials: [[UInt8]] = []
        if faults.contains(.revokedKey), byIntermediate {
            serials.append(platform.certificateSerial)
        }
        if faults.contains(.revokedIntermediate), !byIntermediate { serials.append(issuer.serial) }
        return try authority.revocationList(
            byIntermediate: byIntermediate, revoking: serials, issued: now - day,
            until: faults.contains(.expiredList) ? now - 1 : now + 29 * day)
    }
}
