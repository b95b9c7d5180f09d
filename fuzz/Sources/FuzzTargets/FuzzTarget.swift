import Bytes
import Evidence
import LUKS
import Policy
import Protocol
import Settings

/// One parser or state machine under fuzzing. Ordinary tests run the seeds and every found case.
///
/// A target traps when a property fails; any other return is success, whatever the parser said.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// Frames and each message: what is accepted must be encoded to the same bytes.
    case frame
    /// The attester's side, under any order of bytes and calls.
    case attesterSession = "attester-session"
    /// The verifier's side, under any order of bytes and calls.
    case verifierSession = "verifier-session"
    /// `gate.conf`: what is accepted must survive its own text.
    case gateConfig = "gate-config"
    /// The opened RELEASE: what is accepted must be encoded to the same bytes.
    case releasePayload = "release-payload"
    /// SNP attestation reports.
    case snpReport = "snp-report"
    /// GHCB certificate tables.
    case snpCertificateTable = "snp-certificate-table"
    /// Event logs of every form, their replay and what they prove.
    case eventLog = "event-log"
    /// IMA logs as text.
    case imaText = "ima-text"
    /// IMA logs in binary.
    case imaBinary = "ima-binary"
    /// Runtime policies for IMA, signed and plain, and their patterns.
    case imaPolicy = "ima-policy"
    /// Statements of running VMs: what is accepted must survive its own text.
    case statement
    /// Snapshots, in one piece and in many.
    case snapshot
    /// TPM quotes, signatures and public areas: what is accepted keeps its bytes.
    case tpmStructures = "tpm-structures"
    /// Values of PCRs in every form: one spelling each in the protocol's.
    case pcrValues = "pcr-values"
    /// Reports of Azure's paravisor and their runtime data.
    case hclReport = "hcl-report"
    /// TDX quotes: what is accepted keeps its bytes.
    case tdxQuote = "tdx-quote"
    /// TDREPORTs.
    case tdReport = "tdreport"
    /// Intel's signed documents: the signed text is the member's own.
    case tdxDocuments = "tdx-documents"
    /// TDX collateral in one file: what is accepted must survive its own text.
    case tdxCollateral = "tdx-collateral"
    /// The extension of PCK certificates, and DER.
    case pckExtension = "pck-extension"
    /// X.509 certificates, up to the verifier of AMD's chains.
    case certificate
    /// Revocation lists.
    case revocationList = "revocation-list"
    /// HTTP answers of Azure's metadata service.
    case httpAnswer = "http-answer"
    /// The tables of OVMF images and their measurement.
    case firmware
    /// PE images and unified kernel images.
    case kernelImage = "kernel-image"
    /// Bundles of endorsements.
    case bundle
    /// LUKS2 headers with their JSON, our rules, and the image made for libcryptsetup.
    case luks2Header = "luks2-header"
    /// TOML documents.
    case toml
    /// Policies in TOML: what is accepted must have a canonical form.
    case policy
    /// `broker.toml`.
    case brokerSettings = "broker-settings"
    /// `agent.toml`.
    case agentSettings = "agent-settings"

    /// Runs the target on `input`.
    public func run(_ input: [UInt8]) {
        switch self {
        case .frame: FrameTarget.run(input)
        case .attesterSession: SessionTarget.attester(input)
        case .verifierSession: SessionTarget.verifier(input)
        case .gateConfig: Self.gateConfig(input)
        case .releasePayload: Self.releasePayload(input)
        case .snpReport: _ = try? SNPReport(parsing: input)
        case .snpCertificateTable: _ = try? SNPCertificateTable(parsing: input)
        case .eventLog: EventLogTarget.run(input)
        case .imaText: IMATarget.log(input, [.ascii(.sha1), .ascii(.sha256)])
        case .imaBinary: IMATarget.log(input, [.binary(.sha1), .binary(.sha256)])
        case .imaPolicy: IMATarget.policy(input)
        case .statement: StatementTarget.run(input)
        case .snapshot: SnapshotTarget.run(input)
        case .tpmStructures: TPMTarget.structures(input)
        case .pcrValues: TPMTarget.values(input)
        case .hclReport: TPMTarget.paravisor(input)
        case .tdxQuote: TDXTarget.quote(input)
        case .tdReport: TDXTarget.report(input)
        case .tdxDocuments: TDXTarget.documents(input)
        case .tdxCollateral: TDXTarget.collateral(input)
        case .pckExtension: TDXTarget.pckExtension(input)
        case .certificate: X509Target.certificate(input)
        case .revocationList: X509Target.list(input)
        case .httpAnswer: TransportTarget.answer(input)
        case .firmware: MeasureTarget.firmware(input)
        case .kernelImage: MeasureTarget.image(input)
        case .bundle: TransportTarget.bundle(input)
        case .luks2Header: LUKS2Target.run(input)
        case .toml: _ = try? TOMLDocument(parsing: String(decoding: input, as: UTF8.self))
        case .policy:
            let text = String(decoding: input, as: UTF8.self)
            _ = (try? AppraisalPolicy(toml: text))?.canonicalBytes
        case .brokerSettings:
            let text = String(decoding: input, as: UTF8.self)
            _ = try? BrokerSettings(toml: text, directory: "/etc/bootgate")
        case .agentSettings:
            _ = try? AgentSettings(toml: String(decoding: input, as: UTF8.self))
        }
    }

    /// Inputs to start from, besides those in `fuzz/Seeds`.
    public var seeds: [[UInt8]] {
        switch self {
        case .frame: FrameTarget.seeds
        case .attesterSession: SessionTarget.attesterSeeds
        case .verifierSession: SessionTarget.verifierSeeds
        case .gateConfig: [Array(Seeds.gateConfig.utf8)]
        case .releasePayload:
            [
                [UInt8](repeating: 1, count: 17) + [0, 2, 9, 9] + [UInt8](repeating: 2, count: 32)
                    + [0, 1, 7]
            ]
        case .eventLog: EventLogTarget.seeds
        case .imaText: IMATarget.textSeeds
        case .imaBinary: IMATarget.binarySeeds
        case .imaPolicy: IMATarget.policySeeds
        case .statement: StatementTarget.seeds
        case .snapshot: SnapshotTarget.seeds
        case .tpmStructures: TPMTarget.structureSeeds
        case .pcrValues: TPMTarget.valueSeeds
        case .hclReport: TPMTarget.paravisorSeeds
        case .luks2Header: LUKS2Target.seeds
        case .toml: [Array(#"a.b = [1, "x", {c = 1979-05-27T07:32:00Z}] # d"#.utf8)]
        case .tdxDocuments: TDXTarget.documentSeeds
        case .tdxCollateral: TDXTarget.collateralSeeds
        case .httpAnswer: TransportTarget.answerSeeds
        case .bundle: TransportTarget.bundleSeeds
        case .snpReport, .snpCertificateTable, .tdxQuote, .tdReport, .pckExtension, .certificate,
            .revocationList, .firmware, .kernelImage, .policy, .brokerSettings, .agentSettings:
            []
        }
    }

    private static func gateConfig(_ input: [UInt8]) {
        guard let config = try? GateConfig(parsing: input) else { return }
        let again = try? GateConfig(parsing: config.serialized())
        precondition(again == config, "a config changes in its own text")
    }

    private static func releasePayload(_ input: [UInt8]) {
        let plaintext = unsafe SecretBytes(copying: input.span.bytes)
        do throws(ParseError) {
            let payload = try ReleasePayload(parsing: plaintext)
            precondition(payload.encoded().isEqual(to: plaintext), "two texts for one payload")
        } catch {}
    }
}

/// No hash at all, so that a fuzzer gets past checksums.
struct WeakHashing: Hashing {
    func sha256(_ bytes: [UInt8]) -> FixedBytes<32> { FixedBytes() }
    func sha384(_ bytes: [UInt8]) -> FixedBytes<48> { FixedBytes() }
    func sha512(_ bytes: [UInt8]) -> FixedBytes<64> { FixedBytes() }
    func digest(_ algorithm: HashAlgorithm, _ bytes: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: algorithm.size)
    }
}

enum Seeds {
    static let gateConfig = """
        # seed
        vm = web-1
        broker = [2001:db8::1]:7411
        broker = broker.example
        pin = sha256:0000000000000000000000000000000000000000000000000000000000000000
        device = UUID=00000000-0000-0000-0000-000000000000
        name = root
        key_name = disk
        cipher = aes-xts-plain64
        key_bits = 512
        anchor = host-data
        on_unreachable = retry
        on_refused = poweroff
        on_open_failure = reboot

        """
}
