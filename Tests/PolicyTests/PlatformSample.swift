import Bytes
import Evidence
import OpenSSL
@_spi(Verified) import Policy
import TestSupport

/// A launch of a TD with a TPM's quote and a log, which every rule accepts.
struct PlatformSample {
    var quote = TDXQuoteBuilder(version: 5, bodyType: 3)
    var status: TCBStatus? = .swHardeningNeeded
    var collateral: EndorsementDates? = EndorsementDates(
        issued: 1_799_000_000, nextUpdate: 1_801_000_000)
    var keyTrust: AttestationKeyTrust? = .teeReport
    var pcrs: [UInt8: [UInt8]] = [
        4: [UInt8](repeating: 4, count: 32), 11: [UInt8](repeating: 11, count: 32),
        15: [UInt8](repeating: 0, count: 32),
    ]
    var bank = HashAlgorithm.sha256
    var secureBoot: UInt8 = 1
    var image: [UInt8] = [0xa1]
    var driver: [UInt8]? = [0xd1]
    var commandLine = "quiet"
    var garbage: [UInt8]?
    var loadOptions: [UInt8]?
    var hasLog = true
    /// What the log has beside what the rules know.
    var extra: [Extra] = []
    /// Registers that the quote leaves out.
    var unquoted: Set<Int> = []
    var rules = PlatformSample.rules()
    var context = Sample().context

    struct Extra: Sendable {
        var register: UInt32
        var type: UInt32
        var data: [UInt8]
        /// What is hashed; the data itself unless given.
        var hashed: [UInt8]?
    }

    static let hashing = OpenSSLHashing()
    private static let global = "61dfe48bca93d211aa0d00e098032b8c"
    private static let certificate: [UInt8] = [0x30, 0x82, 0x00, 0x02, 0x05, 0x00]

    static func rules() -> PolicyRules {
        var rules = PolicyRules(name: "td")
        rules.anchor = .mrconfigid
        rules.lowestClass = .hostVTPM
        rules.measurements = [
            ReferenceMeasurement(
                label: "td 1", registers: .td(mrTD: fixed(0x7d), rtmr: [:]), covers: [.firmware])
        ]
        rules.tdx.statuses = [.upToDate: .always, .swHardeningNeeded: .until(1_800_000_000)]
        rules.tdx.attributes = [.septVEDisable: true, .perfmon: false]
        rules.tdx.xfam = 0x600e7
        rules.tdx.modules = [fixed(0x5e)]
        rules.tdx.owners = [FixedBytes()]
        rules.tdx.ownerConfigs = [FixedBytes()]
        rules.tpm.references = [
            ReferencePCRs(
                label: "uki 1", bank: .sha256,
                values: [
                    4: [UInt8](repeating: 4, count: 32), 11: [UInt8](repeating: 11, count: 32),
                ],
                covers: [.kernel, .initramfs, .commandLine])
        ]
        rules.boot.secureBoot = true
        rules.boot.images = [hashing.sha256([0xa1]).bytes]
        rules.boot.drivers = [hashing.sha256([0xd1]).bytes]
        rules.boot.commandLines = ["quiet"]
        rules.boot.authorities = [hashing.sha256(certificate)]
        rules.requiresRevocationList = true
        return rules
    }

    func claims() throws -> Claims {
        let body = try TDXQuote(parsing: quote.bytes).body
        var values = PCRValues()
        for (index, value) in pcrs {
            try values.insert(Array(value.prefix(bank.size)), at: index, in: bank)
        }
        var attestation = TPMQuoteBuilder()
        attestation.selections = [(bank.tpmIdentifier, [0x10, 0x88, 0x00])]
        let tpm = try keyTrust.map { trust in
            TPMClaims(
                authenticated: try TPMAttestation(parsing: attestation.bytes), pcrs: values,
                keyTrust: trust)
        }
        return Claims(
            hardware: .tdx(
                TDXClaims(
                    authenticated: body, fmspc: fixed(1), tcbStatus: status,
                    advisories: ["INTEL-SA-00001"], collateral: collateral)),
            tpm: tpm, boot: hasLog ? try facts() : nil)
    }

    func policy() throws -> AppraisalPolicy { try AppraisalPolicy(validating: rules) }

    func findings() throws -> [Finding] { try policy().evaluate(claims(), in: context) }

    private func facts() throws -> BootFacts {
        var log = EventLogBuilder(banks: [.sha256])
        func add(_ register: UInt32, _ type: UInt32, _ data: [UInt8], hashed: [UInt8]? = nil) {
            log.event(register, type, data) { Self.hashing.digest($0, hashed ?? data) }
        }
        add(
            7, 0x8000_0001,
            EventLogBuilder.variable(Self.global, "SecureBoot", [secureBoot]))
        add(7, 4, [0, 0, 0, 0])
        add(
            7, 0x8000_00e0,
            EventLogBuilder.variable(
                "cbb219d73a3d9645a3bcdad00e67656f", "db",
                [UInt8](repeating: 7, count: 16) + Self.certificate))
        if let driver { add(2, 0x8000_0004, [1], hashed: driver) }
        add(4, 0x8000_0003, [1], hashed: image)
        add(12, 0x0d, EventLogBuilder.utf16(commandLine + "\0"))
        if let loadOptions {
            // The kernel's stub: its tag for load options, and nothing of them but the digest.
            add(9, 6, [0xed, 0x22, 0x3b, 0x8f, 1, 0, 0, 0, 0], hashed: loadOptions)
        }
        if let garbage { add(4, 0x1234, garbage) }
        for event in extra { add(event.register, event.type, event.data, hashed: event.hashed) }
        let read = try EventLog(parsing: log.bytes)
        let logged = Set(read.events.map(\.register)).subtracting(unquoted)
        return BootFacts(
            read, proven: Dictionary(uniqueKeysWithValues: logged.map { ($0, [.sha256]) }),
            untouched: Set(0...14).subtracting(logged).subtracting(unquoted),
            hashing: Self.hashing)
    }
}
