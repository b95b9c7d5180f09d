import Bytes
import Evidence
import OpenSSL
@_spi(Verified) import Policy
import TestSupport
import Verification

/// A running VM that every check holds for, its snapshot, and its log; tests change one thing at a time.
struct RuntimeSample {
    static let hashing = OpenSSLHashing()
    static let keyName: [UInt8] = [0x00, 0x0b] + [UInt8](repeating: 0x4e, count: 32)

    var report = SNPReportBuilder(version: 5)
    /// A TD's quote in the report's place.
    var quote: TDXQuoteBuilder?
    var hasTPM = true
    var attestation = TPMQuoteBuilder()
    var banks: [HashAlgorithm] = [.sha256]
    var start = (0..<10).map { [UInt8](repeating: UInt8($0), count: 32) }
    var entries: [IMALogBuilder.Entry] = []
    /// Entries of other registers, before those.
    var foreign: [IMALogBuilder.Entry] = []
    /// How many of the entries the quote covers; nil for all.
    var quotedCount: Int?
    var snapshot: Snapshot? = Snapshot()
    var further: IMADigestTable?
    var rules = RuntimeRules()
    var keyName = Self.keyName
    var statement = RuntimeStatement(
        vm: "web-1", hostName: "web", certificate: fixed(0xce), attestationKeyName: Self.keyName,
        sshHostKeys: [], bootID: "b", snapshot: nil)
    var served: FixedBytes<32>? = fixed(0xce)
    /// What was found before.
    var findings = [
        Finding(check: "signature", outcome: .ok, expected: "valid", actual: "valid")
    ]
    var isAuthentic = true
    var expectedBoot: RuntimeBoot?
    var isUnderMaintenance = false

    init() throws {
        report.set(0x048, littleEndian: UInt32(1))
        report.set(0x004, littleEndian: UInt32(4))
        report.set(0x010, [UInt8](repeating: 0xfa, count: 16))
        report.set(0x020, [UInt8](repeating: 0x1a, count: 16))
        report.set(0x0e0, [UInt8](repeating: 0x1d, count: 48))
        report.set(0x110, [UInt8](repeating: 0xaa, count: 48))
        attestation.selections = [(0x000b, [0xff, 0x07, 0x00])]
        entries = [
            IMALogBuilder.Entry(
                "boot_aggregate", sha256: Self.digest(Array(start.joined())))
        ]
        entries += ["/bin/a", "/bin/b", "/etc/c"].map(Self.file)
        var files = IMADigestTable()
        for path in ["/bin/a", "/bin/b", "/etc/c", "/bin/unused"] {
            files.insert(name: path.utf8, digest: Self.digest(Array(path.utf8)))
        }
        snapshot?.files = files
        snapshot?.header.tpmPolicy = SnapshotHeader.TPMPolicy(resetCount: 7, restartCount: 3)
        snapshot?.details = SnapshotDetails(
            hostName: "web", bootID: "b", time: 1, hash: .sha256,
            attestationKeyName: Self.keyName)
        let said = try SNPReport(parsing: report.bytes)
        var policy = SnapshotHeader.SNPPolicy()
        policy.measurement = said.measurement
        policy.reportData = fixed(0xdd)
        policy.familyID = said.familyID
        policy.imageID = said.imageID
        policy.guestSVN = said.guestSVN
        policy.idKeyDigest = said.idKeyDigest
        policy.authorKeyDigest = said.authorKeyDigest
        policy.policy = said.policy.rawValue
        policy.reportID = said.reportID
        policy.reportIDMA = said.reportIDMA
        snapshot?.header.teePolicy = .snp(policy)
    }

    /// An entry of a file whose contents are its name.
    static func file(_ path: String) -> IMALogBuilder.Entry {
        IMALogBuilder.Entry(path, sha256: digest(Array(path.utf8)))
    }

    static func digest(_ bytes: [UInt8]) -> [UInt8] { hashing.sha256(bytes).bytes }

    /// The binary log of some of the entries.
    func log(_ range: Range<Int>? = nil) -> [UInt8] {
        IMALogBuilder(foreign + Array(entries[range ?? 0..<entries.count]))
            .binary { Self.hashing.digest(.sha1, $0) }
    }

    func verified() throws -> RuntimeReport {
        RuntimeReport(
            statement: statement, findings: findings, claims: isAuthentic ? try claims() : nil,
            attestationKeyName: hasTPM ? keyName : [], servedCertificate: served)
    }

    func reference() throws -> RuntimeReference {
        try RuntimeReference(snapshot: snapshot, further: further, rules: rules)
    }

    /// Verifies the report with the whole log.
    func verify() throws -> RuntimeResult {
        let reference = try reference()
        var log = RuntimeLog(of: try verified(), against: reference)
        log?.append(self.log()[...])
        return try verify(&log, reference)
    }

    /// Verifies the report with a log that was read before.
    func verify(_ log: inout RuntimeLog?, _ reference: RuntimeReference) throws -> RuntimeResult {
        var verifier = RuntimeVerifier(reference)
        verifier.expectedBoot = expectedBoot
        verifier.isUnderMaintenance = isUnderMaintenance
        return verifier.verify(try verified(), log: &log)
    }

    private func claims() throws -> Claims {
        var pcrs = PCRValues()
        for bank in banks {
            for index in 0..<10 as Range<UInt8> {
                try pcrs.insert(Array(start[Int(index)].prefix(bank.size)), at: index, in: bank)
            }
            try pcrs.insert(register(bank), at: 10, in: bank)
        }
        return Claims(
            hardware: try hardware(),
            tpm: hasTPM
                ? TPMClaims(
                    authenticated: try TPMAttestation(parsing: attestation.bytes), pcrs: pcrs,
                    keyTrust: .teeReport) : nil)
    }

    private func hardware() throws -> Claims.Hardware {
        guard let quote else {
            return .snp(
                SNPClaims(authenticated: try SNPReport(parsing: report.bytes), product: .genoa))
        }
        let read = try TDXQuote(parsing: quote.bytes)
        return .tdx(
            TDXClaims(
                authenticated: read.body, fmspc: FixedBytes(), tcbStatus: .upToDate,
                advisories: [], collateral: nil, header: read.header))
    }

    /// What a kernel puts into PCR 10.
    private func register(_ bank: HashAlgorithm) -> [UInt8] {
        entries.prefix(quotedCount ?? entries.count).reduce([UInt8](repeating: 0, count: bank.size))
        {
            value, entry in
            let isViolation = entry.templateHash?.allSatisfy { $0 == 0 } ?? false
            let digest =
                isViolation
                ? [UInt8](repeating: 0xff, count: bank.size)
                : Self.hashing.digest(bank, entry.data)
            return Self.hashing.digest(bank, value + digest)
        }
    }
}

extension RuntimeResult {
    func checks(_ outcome: Finding.Outcome) -> [String] {
        findings.filter { $0.outcome == outcome }.map(\.check)
    }

    func finding(_ check: String) -> Finding? { findings.first { $0.check == check } }
}

func fixed<let count: Int>(_ byte: UInt8) -> FixedBytes<count> {
    FixedBytes([UInt8](repeating: byte, count: count)) ?? FixedBytes()
}
