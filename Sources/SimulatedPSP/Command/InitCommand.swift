public import ArgumentParser
import Bytes
public import Evidence
import Linux
import OpenSSL

/// `bootgate-psp init`
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a simulated chip and the keys that endorse it.",
        discussion: """
            Makes a root (ARK), an intermediate (ASK or ASVK) and an endorsement key (VCEK or \
            VLEK) with AMD's names, extensions and signature scheme, and prints the digest by \
            which a configuration can name the root.

            EXAMPLES
              bootgate-psp init --dir lab/psp --product Milan
              bootgate-psp init --dir lab/old --product Milan --tcb bootloader=1,snp=8 \\
                --under lab/psp
            """)

    @Option(
        help: ArgumentHelp("The folder to fill; must not hold a chip yet.", valueName: "folder"))
    var dir: String

    @Option(help: ArgumentHelp("Milan, Genoa or Turin.", valueName: "name"))
    var product: SNPProduct

    @Option(
        help: ArgumentHelp("The kind of key that signs reports: vcek or vlek.", valueName: "kind"))
    var key: SNPSigningKey = .vcek

    @Option(
        help: ArgumentHelp(
            "Firmware versions other than the product's usual ones, such as snp=8,microcode=1.",
            valueName: "list"))
    var tcb: String = ""

    @Option(
        help: ArgumentHelp(
            "Take root and intermediate from this folder instead of making them.",
            valueName: "folder"))
    var under: String?

    @Flag(help: "Print one line of JSON.")
    var json = false

    func validate() throws {
        guard key != .none else { throw ValidationError("--key is vcek or vlek") }
    }

    func run() throws {
        guard !File.exists("\(dir)/state.json") else {
            throw PSPFault.unusable("\(dir)/state.json exists; expected a folder without a chip")
        }
        let tcb = try SimulatedTCB(product: product, changes: tcb)
        let platform = Platform(product: product, keyKind: key, tcb: tcb)
        let endorsementKey = try PSPFault.defects { () throws(CryptoError) in
            try SigningKey.generate(.p384)
        }
        let authority = try authority()
        let certificate = try PSPFault.defects { () throws(CryptoError) in
            try authority.endorse(platform, key: endorsementKey, now: Clock.realtime)
        }
        try PlatformDirectory(path: dir).write(
            platform, authority, certificate: certificate, key: endorsementKey)
        report(platform, authority.rootKey.publicKeyInfoDigest)
    }

    private func authority() throws(PSPFault) -> Authority {
        guard let under else {
            return try PSPFault.defects { () throws(CryptoError) in
                try Authority(product: product, keyKind: key, now: Clock.realtime)
            }
        }
        let content = try PlatformDirectory(path: under).read()
        guard content.platform.product == product, content.platform.keyKind == key else {
            let there = "\(content.platform.product.rawValue), \(content.platform.keyKind.rawValue)"
            throw .unusable(
                "\(under) holds \(there); expected \(product.rawValue), \(key.rawValue)")
        }
        return content.takeAuthority()
    }

    private func report(_ platform: Platform, _ rootDigest: FixedBytes<32>) {
        guard !json else {
            let members = [("dir", JSONText.Value.string(dir))]
            print(JSONText.object(members + PlatformDirectory.state(platform, rootDigest)))
            return
        }
        let version = TCBVersion(raw: platform.tcb.raw, product: platform.product)
        print(
            """
            Made a simulated \(platform.product.rawValue) in \(dir).
            Root key    \(rootDigest.hex)
            Chip        \(platform.chipID.hex)
            Firmware    \(version)
            """)
    }
}

extension SNPProduct: ExpressibleByArgument {
    /// Reads a name in any case.
    public init?(argument: String) {
        guard
            let product = Self.allCases.first(where: {
                $0.rawValue.lowercased() == argument.lowercased()
            })
        else { return nil }
        self = product
    }
}

extension SNPSigningKey: ExpressibleByArgument {}
