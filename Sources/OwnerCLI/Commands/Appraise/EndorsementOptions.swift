import ArgumentParser
import Bytes
import Endorsements
import Evidence
import OpenSSL
import Policy
import Verification

/// A directory of endorsements.
struct EndorsementDirectoryOption: ParsableArguments {
    /// What is missing in a directory, in findings.
    static let check = "endorsements"

    @Option(
        help: ArgumentHelp(
            "A broker's directory of certificates, lists and Intel's documents.",
            valueName: "folder"), completion: .directory)
    var endorsements: String?

    fileprivate static func missing(_ name: String) -> Finding {
        Finding(
            check: check, outcome: .refused, expected: name, actual: "missing",
            note: "`bootgate endorsements check` says what is missing and where it is to be had.")
    }
}

/// Certificates and revocation lists of AMD's.
struct AMDEndorsementOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The host's certificate table (GHCB).", valueName: "file"),
        completion: .file())
    var certificates: String?
    @Option(
        help: ArgumentHelp("Certificate of the key that signed: VCEK or VLEK.", valueName: "file"),
        completion: .file())
    var vcek: String?
    @Option(
        help: ArgumentHelp("Certificate of its issuer: ASK or ASVK.", valueName: "file"),
        completion: .file())
    var ask: String?
    @Option(
        help: ArgumentHelp("Certificate of the root: ARK.", valueName: "file"), completion: .file())
    var ark: String?
    @Option(
        help: ArgumentHelp("A revocation list in DER.", valueName: "file"), completion: .file())
    var crl: [String] = []

    var isEmpty: Bool {
        certificates == nil && vcek == nil && ask == nil && ark == nil && crl.isEmpty
    }

    /// What was given for `report`, completed from the directory; and what neither has.
    func certificates(
        for report: SNPReport?, _ directory: EndorsementDirectoryOption, at time: Int64
    ) throws(Failure) -> (certificates: SNPCertificates, findings: [Finding]) {
        let given = try given(report)
        guard let path = directory.endorsements, let report else { return (given, []) }
        let completion = CertificateDirectory(path).complete(table: given, for: report, at: time)
        return (
            completion.certificates,
            completion.missing.map { EndorsementDirectoryOption.missing($0.name) }
        )
    }

    private func given(_ report: SNPReport?) throws(Failure) -> SNPCertificates {
        var given = SNPCertificates()
        if let path = certificates {
            let table = try EvidenceFile.read(path, "--certificates", atMost: 1 << 20)
            let parsed = try EvidenceFile.parse(path, "--certificates") { () throws(ParseError) in
                try SNPCertificateTable(parsing: table)
            }
            given = SNPCertificates(parsed, signedBy: report?.signingKey ?? .vcek)
        }
        if let vcek { given.endorsementKey = try EvidenceFile.certificate(vcek, "--vcek").der }
        if let ask { given.intermediate = try EvidenceFile.certificate(ask, "--ask").der }
        if let ark { given.root = try EvidenceFile.certificate(ark, "--ark").der }
        for path in crl {
            let list = try EvidenceFile.read(path, "--crl", atMost: 1 << 20)
            do throws(X509Error) {
                _ = try X509CRL(der: list)
            } catch {
                throw Failure(.unusableInput, "--crl: \(path.shown): \("\(error)".shown)")
            }
            given.revocationLists.append(list)
        }
        return given
    }
}

/// Documents of Intel's.
struct IntelEndorsementOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "TCB info, QE identity, lists and their issuers, in one file.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var collateral: String?

    /// What was given, or is in the directory for the platform of `quote`; and what neither has.
    func collateral(
        for quote: [UInt8], _ verifier: TDXVerifier, _ directory: EndorsementDirectoryOption,
        at time: Int64
    ) throws(Failure) -> (collateral: TDXCollateral?, findings: [Finding]) {
        if let path = collateral {
            let text = try EvidenceFile.read(
                path, "--collateral", atMost: TDXCollateral.maximumByteCount)
            let documents = try EvidenceFile.parse(path, "--collateral") { () throws(ParseError) in
                try TDXCollateral(json: text)
            }
            return (documents, [])
        }
        guard let path = directory.endorsements, let platform = verifier.platform(of: quote),
            let authority = EndorsementObject.PCKAuthority(
                issuerCommonName: platform.issuerCommonName)
        else { return (nil, []) }
        let supply = EndorsementCache(path).tdxCollateral(
            fmspc: platform.fmspc, authority: authority, at: time)
        guard supply.collateral == nil else { return (supply.collateral, []) }
        return (nil, supply.wanted.map { EndorsementDirectoryOption.missing($0.title) })
    }
}
