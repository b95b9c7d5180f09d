import Bytes
import Evidence
@_spi(Verified) import Policy
import TestSupport

/// A launch that every rule accepts, for tests that change one thing at a time.
struct Sample {
    var report = SNPReportBuilder(version: 5)
    var product = SNPProduct.genoa
    var providerID: String?
    var revocationList: EndorsementDates? = EndorsementDates(
        issued: 1_799_000_000, nextUpdate: 1_801_000_000)
    var rules = Sample.rules()
    var context = LaunchContext(
        vm: "web-1", vmIsEnabled: true, runtimeHasFailed: false, configDigest: fixed(0xc0),
        enrolledConfigDigest: fixed(0xc0), headerDigest: fixed(0x4d),
        enrolledHeaderDigests: [fixed(0x4c), fixed(0x4d)], reportIDHistory: .never,
        now: 1_800_000_000)

    init() {
        report.set(0x0e0, Array(repeating: 0x1d, count: 48))
        report.set(0x110, Array(repeating: 0xaa, count: 48))
        report.set(0x048, littleEndian: UInt32(1))
        report.set(0x1f8, littleEndian: UInt64(7))
        report.set(0x200, littleEndian: UInt64(3))
    }

    /// Rules with every requirement set.
    static func rules() -> PolicyRules {
        var rules = PolicyRules(name: "web")
        rules.description = "the web servers"
        let image: Set<Coverage> = [.firmware, .kernel, .initramfs, .commandLine]
        rules.measurements = [
            ReferenceMeasurement(
                label: "image 2026-11", value: fixed(0xa1), covers: image.union([.config])),
            ReferenceMeasurement(label: "image 2026-10", value: fixed(0x10), covers: image),
        ]
        rules.minimumTCB = [
            .genoa: [.bootloader: 10, .tee: 0, .snp: 23, .microcode: 84],
            .turin: [.fmc: 1, .bootloader: 1, .tee: 1, .snp: 4, .microcode: 81],
        ]
        rules.guestPolicy = [.smt: true, .cxl: false]
        rules.minimumABI = ABIVersion(major: 0, minor: 31)
        rules.platform = [.tsme: false, .aliasCheck: true]
        rules.signingKeys = [.vcek, .vlek]
        rules.idKeyDigests = [fixed(0x1d)]
        rules.authorKeyDigests = [fixed(0xaa)]
        rules.allowedChips = [fixed(0xc4), fixed(0xc3)]
        rules.deniedChips = [fixed(0xdd)]
        rules.providers = ["aws"]
        rules.mitigations = 3
        rules.requiresRevocationList = true
        rules.maximumEndorsementAge = 30
        return rules
    }

    func findings() throws -> [Finding] {
        try AppraisalPolicy(validating: rules).evaluate(claims(), in: context)
    }

    func claims() throws -> Claims {
        Claims(
            hardware: .snp(
                SNPClaims(
                    authenticated: try SNPReport(parsing: report.bytes), product: product,
                    providerID: providerID,
                    revocationList: revocationList)))
    }

    /// What has to be checked of it.
    func checks() throws -> [Check] {
        try AppraisalPolicy(validating: rules).checks(for: claims())
    }

    /// The names of the checks that ended so.
    func checks(_ outcome: Finding.Outcome) throws -> [String] {
        try findings().filter { $0.outcome == outcome }.map(\.check)
    }
}

func fixed<let count: Int>(_ byte: UInt8) -> FixedBytes<count> {
    var value = FixedBytes<count>()
    for index in 0..<count {
        value[index] = byte
    }
    return value
}
