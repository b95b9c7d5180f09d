import ArgumentParser
import Bytes
import Linux
import OpenSSL

/// `bootgate-psp tdx init`
struct TDXInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a simulated TDX machine and the keys that endorse it.",
        discussion: """
            Makes a root, a PCK CA, a TCB signer, a PCK and an attestation key with Intel's names \
            and extensions, and prints the digest by which a configuration can name the root.

            EXAMPLES
              bootgate-psp tdx init --dir lab/tdx
              bootgate-psp tdx init --dir lab/other --under lab/tdx --fmspc 00806f050000
            """)

    @Option(
        help: ArgumentHelp("The folder to fill; must not hold a machine yet.", valueName: "folder"))
    var dir: String

    @Option(help: ArgumentHelp("The platform's family, 6 bytes.", valueName: "hex"))
    var fmspc: String = TDXPlatform.usualFMSPC.hex

    @Option(help: ArgumentHelp("TEE_TCB_SVN, 16 bytes.", valueName: "hex"))
    var tcb: String?

    @Option(help: ArgumentHelp("SVN of the quoting enclave.", valueName: "n"))
    var qeSvn: UInt16?

    @Option(
        help: ArgumentHelp(
            "Take the vendor's keys from this folder instead of making them.", valueName: "folder")
    )
    var under: String?

    @Flag(help: "Print one line of JSON.")
    var json = false

    func validate() throws {
        guard FixedBytes<6>(hex: fmspc) != nil else {
            throw ValidationError("--fmspc: expected 12 hexadecimal digits")
        }
        if let tcb, FixedBytes<16>(hex: tcb) == nil {
            throw ValidationError("--tcb: expected 32 hexadecimal digits")
        }
    }

    func run() throws {
        guard !File.exists("\(dir)/state.json") else {
            throw PSPFault.unusable("\(dir)/state.json exists; expected a folder without a machine")
        }
        var platform = TDXPlatform(
            fmspc: FixedBytes(hex: fmspc) ?? FixedBytes(),
            ppid: FixedBytes(Random.bytes(16)) ?? FixedBytes())
        if let tcb { platform.teeTCBSVN = FixedBytes(hex: tcb) ?? FixedBytes() }
        if let qeSvn { platform.quotingEnclaveSVN = qeSvn }
        let now = Clock.realtime
        var authority: TDXAuthority?
        if let under { authority = try TDXDirectory(path: under).read().authority }
        let machine = try PSPFault.defects { () throws(CryptoError) in
            let vendor = if let authority { authority } else { try TDXAuthority(now: now) }
            return try TDXMachine(platform, under: vendor, now: now)
        }
        try TDXDirectory(path: dir).write(machine)
        let digest = machine.authority.rootKey.publicKeyInfoDigest
        guard !json else {
            let members = [("dir", JSONText.Value.string(dir))]
            print(JSONText.object(members + TDXDirectory.state(platform, now, digest)))
            return
        }
        print(
            """
            Made a simulated TDX machine in \(dir).
            Root key    \(digest.hex)
            FMSPC       \(platform.fmspc.hex)
            TEE TCB     \(platform.teeTCBSVN.hex)
            """)
    }
}
