import AdminAPI
import Authenticators
import BrokerCore
import Bytes
import Endorsements
import Evidence
import Foundation
import Linux
import Logging
import OpenSSL
@_spi(Verified) import Policy
import Protocol
import Store
import TestSupport

func fixed<let count: Int>(_ byte: UInt8) -> FixedBytes<count> {
    var value = FixedBytes<count>()
    for index in 0..<count { value[index] = byte }
    return value
}

func secret(_ byte: UInt8, count: Int = 32) -> SecretBytes {
    let bytes = [UInt8](repeating: byte, count: count)
    return unsafe SecretBytes(copying: bytes.span.bytes)
}

/// Believes every report that ends in 0x22, as the builder makes them, and no other.
struct TrustingAuthenticator: EvidenceAuthenticator {
    var kinds: Set<EvidenceKind> { [.snp] }

    func authenticate(
        _ evidence: EvidenceMessage, binding: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Authentication {
        let report = try SNPReport(parsing: evidence.data(.report) ?? [])
        let isBound = report.reportData == binding
        return Authentication(
            findings: [
                Finding(
                    check: "binding", outcome: isBound ? .ok : .refused, expected: binding.hex,
                    actual: report.reportData.hex)
            ],
            claims: isBound
                ? Claims(hardware: .snp(SNPClaims(authenticated: report, product: .genoa))) : nil,
            platform: "SNP Genoa", reportID: report.reportID, chipID: report.chipID,
            measurement: report.measurement)
    }
}

/// A broker's core with one enrolled VM, on a database of its own.
final class Sample: Sendable {
    static let policy = """
        name = "web"
        anchor = "host-data"
        [[measurement]]
        label = "image"
        sha384 = "\(String(repeating: "a1", count: 48))"
        covers = ["firmware", "kernel", "initramfs", "command line"]
        [minimum_tcb.Genoa]
        bootloader = 0
        tee = 0
        snp = 0
        microcode = 0
        """

    let directory: String
    let store: SQLiteStore
    let authority: LaunchAuthority
    let time = 2_000_000_000

    init(
        strangerRows: (perAddress: Int, total: Int) = (10, 60),
        authenticator: any EvidenceAuthenticator = TrustingAuthenticator(),
        desk: EndorsementDesk? = nil, rules: PolicyRules? = nil
    ) async throws {
        directory = NSTemporaryDirectory() + "bootgate-core-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        store = try SQLiteStore(path: directory + "/broker.sqlite3")
        authority = LaunchAuthority(
            store: store, envelope: KeyEnvelope(wrappingKey: secret(0x77)),
            authenticator: authenticator, desk: desk,
            readPolicy: { rules.map { try? AppraisalPolicy(validating: $0) } ?? Self.read($0) },
            strangerRows: strangerRows,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: { 2_000_000_000 })
        try await store.save(
            StoredPolicy(name: "web", identity: fixed(1), toml: Self.policy, created: 1))
        try await enrol()
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    func enrol(_ id: String = "web-1", keyFor keyID: String? = nil) async throws {
        let version = try await store.nextKeyVersion(of: id)
        let sealed = try authority.seal(
            key: secret(0x5e), proofKey: secret(0x9f),
            to: .init(vm: keyID ?? id, keyName: "disk", version: version))
        try await store.enrol(
            EnrolledVM(
                id: id, policy: "web", configDigest: fixed(0xc0), gateConf: "", luksUUID: "",
                keyName: "disk", keyslot: 1, headerDigest: fixed(0x4d),
                volumeKeyCheck: fixed(0x3c), keyVersion: version, sealedKey: sealed.key,
                sealedProofKey: sealed.proofKey, created: 1, updated: 1))
    }

    /// Rules as `policy` says them; the TOML reader is not what these tests are about.
    private static func read(_ toml: String) -> AppraisalPolicy? {
        var rules = PolicyRules(name: "web")
        rules.measurements = [
            ReferenceMeasurement(
                label: "image", value: fixed(0xa1),
                covers: [.firmware, .kernel, .initramfs, .commandLine])
        ]
        rules.minimumTCB = [.genoa: [.bootloader: 0, .tee: 0, .snp: 0, .microcode: 0]]
        return toml == policy ? try? AppraisalPolicy(validating: rules) : nil
    }
}

/// One attester, asking once.
struct Attester: ~Copyable {
    var vm = "web-1"
    var headerDigest: FixedBytes<32> = fixed(0x4d)
    var keyName = "disk"
    var purpose = Purpose.launch
    var report = SNPReportBuilder()
    var isBound = true
    var peer = "203.0.113.7"
    let key: HPKEPrivateKey
    let binding: FixedBytes<64>

    init(binding byte: UInt8 = 0xb1) throws {
        key = try HPKEPrivateKey(scalar: Random.secret(32))
        binding = fixed(byte)
    }

    borrowing func ask(_ sample: Sample) async throws -> (Verdict, Launch) {
        let hello = Hello(
            purpose: purpose, vm: VMIdentifier(vm) ?? fallback, keyName: KeyName(keyName) ?? .disk,
            configDigest: fixed(0xc0), headerDigest: headerDigest, evidenceKinds: [.snp],
            hpkePublicKey: key.publicKey)
        let (launch, _) = sample.authority.challenge(hello, from: peer)
        var signed = report
        if isBound { signed.set(0x50, binding.bytes) }
        let evidence = try EvidenceMessage(kind: .snp, items: [.init(.report, signed.bytes)])
        let binding = binding
        let verdict = await withCheckedContinuation { continuation in
            sample.authority.appraise(
                evidence, of: launch, binding: binding, executor: { $0() },
                done: { continuation.resume(returning: $0) })
        }
        return (verdict, launch)
    }

    private var fallback: VMIdentifier {
        guard let name = VMIdentifier("unknown") else { preconditionFailure("a constant name") }
        return name
    }

    static func proof(_ binding: FixedBytes<64>) -> FixedBytes<32> {
        HMAC.sha256(key: secret(0x9f), binding.bytes)
    }
}

extension Sample {
    func conclude(_ outcome: Outcome, _ recorded: RecordedLaunch) async -> Bool {
        await withCheckedContinuation { continuation in
            authority.conclude(outcome, of: recorded) { continuation.resume(returning: $0) }
        }
    }

    func conclude(_ late: LateOutcome) async -> Bool {
        await withCheckedContinuation { continuation in
            authority.conclude(late, from: "203.0.113.7") { continuation.resume(returning: $0) }
        }
    }

    func newest() async throws -> LedgerRow? {
        try await store.launches(.init(limit: 1)).first
    }
}

extension Verdict {
    var released: (Release, RecordedLaunch)? {
        if case .release(let release, let recorded) = self { (release, recorded) } else { nil }
    }

    var held: (UInt16, String)? {
        if case .hold(let seconds, let reference) = self {
            (seconds, reference.description)
        } else {
            nil
        }
    }

    var refusal: (Refused.Code, String)? {
        if case .refuse(let code, let reference) = self {
            (code, reference.description)
        } else {
            nil
        }
    }
}
