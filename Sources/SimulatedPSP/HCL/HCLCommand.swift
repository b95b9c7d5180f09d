import ArgumentParser
import Bytes
import Evidence
import Linux
import OpenSSL

/// `bootgate-psp hcl`
struct HCLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hcl",
        abstract: "Write the report that Azure's paravisor keeps in its vTPM.",
        discussion: """
            Makes the contents of NV index 0x01400001 around an SNP report or a TDREPORT, by what \
            --dir holds, with the vTPM's own keys in it. Measurement and policy are those of the \
            paravisor, so nothing of the guest.

            EXAMPLE
              tpm2_readpublic -c 0x81000003 -f pem -o ak.pem
              bootgate-psp hcl --dir lab/psp --ak ak.pem --out hcl.bin --vcek vcek.der
              tpm2_nvdefine -C o -s $(stat -c %s hcl.bin) 0x01400001
              tpm2_nvwrite -C o -i hcl.bin 0x01400001

            FAULTS
              bad-signature, debug, wrong-report-data
            """)

    @Option(help: ArgumentHelp("What `init` or `tdx init` made.", valueName: "folder"))
    var dir: String

    @Option(help: ArgumentHelp("The vTPM's attestation key, PEM, RSA.", valueName: "file"))
    var ak: String

    @Option(
        help: ArgumentHelp(
            "Its endorsement key, PEM, RSA; the attestation key if absent.", valueName: "file"))
    var ek: String?

    @Option(help: ArgumentHelp("64 bytes of NV index 0x01400002.", valueName: "hex"))
    var userData: String?

    @Option(help: ArgumentHelp("MEASUREMENT or MRTD of the paravisor.", valueName: "hex"))
    var measurement: String?

    @Option(help: ArgumentHelp("The version of the header: 1 or 2.", valueName: "n"))
    var headerVersion: UInt32 = 1

    @Option(help: ArgumentHelp("The report to write.", valueName: "file"))
    var out: String

    @Option(
        help: ArgumentHelp("Where to write the VCEK or VLEK; SNP only.", valueName: "file"))
    var vcek: String?

    @Option(
        help: ArgumentHelp("Where to write the quote of the TDREPORT; TDX only.", valueName: "file")
    )
    var quote: String?

    @Option(help: ArgumentHelp("What goes wrong, once for each; see FAULTS.", valueName: "fault"))
    var fault: [Fault] = []

    func validate() throws {
        guard (1...2).contains(headerVersion) else {
            throw ValidationError("--header-version is 1 or 2")
        }
        if let measurement, FixedBytes<48>(hex: measurement) == nil {
            throw ValidationError("--measurement: expected 96 hexadecimal digits")
        }
        if let userData, FixedBytes<64>(hex: userData) == nil {
            throw ValidationError("--user-data: expected 128 hexadecimal digits")
        }
        for fault in fault where ![.badSignature, .debug, .wrongReportData].contains(fault) {
            throw ValidationError("--fault \(fault.name) is not one of a paravisor's report")
        }
    }

    func run() throws {
        let key = try Self.key(ak)
        var text = HCLRuntimeText(
            attestationKey: key, endorsementKey: try ek.map(Self.key) ?? key)
        text.userData = userData.flatMap { FixedBytes(hex: $0) } ?? FixedBytes()
        let writer = HCLReportWriter(version: headerVersion, variableData: try text.json())
        let isTDX = File.exists("\(dir)/pck.der")
        try write(
            out,
            writer.report(
                hardware: isTDX ? try domainReport(writer) : try report(writer), isTDX: isTDX))
    }

    private func report(_ writer: HCLReportWriter) throws -> [UInt8] {
        guard quote == nil else { throw PSPFault.unusable("--quote: \(dir) holds no TDX machine") }
        let launcher = Launcher(
            measurement: FixedBytes(hex: measurement ?? "") ?? FixedBytes(),
            directory: PlatformDirectory(path: dir), policy: 0x3001f, vmpl: 0, reportVersion: 3,
            faults: Set(fault))
        if let vcek { try write(vcek, PlatformDirectory(path: dir).read().certificate) }
        let processor = try launcher.launch(log: EventLog("/dev/null"))
        return try processor.answer(writer.reportData, vmpl: 0).report
    }

    private func domainReport(_ writer: HCLReportWriter) throws -> [UInt8] {
        guard vcek == nil else { throw PSPFault.unusable("--vcek: \(dir) holds a TDX machine") }
        var domain = TrustDomain()
        domain.mrTD = FixedBytes(hex: measurement ?? "") ?? FixedBytes()
        let guest = TDXGuest(
            domain, on: try TDXDirectory(path: dir).read(), version: 4, generation: .v1_0,
            faults: Set(fault), localKey: Random.secret(32))
        if let quote { try write(quote, try guest.quote(writer.reportData)) }
        return guest.localReport(writer.reportData)
    }

    private static func key(_ path: String) throws -> VerificationKey {
        let pem = try LaunchOptions.read(path)
        do throws(CryptoError) {
            return try VerificationKey(pem: pem)
        } catch {
            throw PSPFault.unusable("\(path): \(error)")
        }
    }

    private func write(_ path: String, _ bytes: [UInt8]) throws(PSPFault) {
        try PSPFault.writing { () throws(SystemError) in
            try File.writeAtomically(path, bytes, mode: 0o644)
        }
    }
}
