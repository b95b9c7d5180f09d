import Bytes
import Evidence
import Linux
import OpenSSL

/// Makes a ``SimulatedProcessor`` out of what was ordered.
struct Launcher {
    var measurement: FixedBytes<48>
    var directory: PlatformDirectory
    var hostData: FixedBytes<32>?
    var policy: UInt64
    var vmpl: UInt32
    var reportVersion: UInt32
    var faults: Set<Fault>

    /// MIGRATE_MA and DEBUG of the guest policy.
    private static let migrationBit: UInt64 = 1 << 18
    private static let debugBit: UInt64 = 1 << 19
    private static let day: Int64 = 86400

    /// Faults for which the endorsement is made anew.
    private static let endorsementFaults: Set<Fault> = [
        .wrongRoot, .lowTCB, .expiredKey, .futureKey, .revokedIntermediate, .revokedKey,
        .expiredList,
    ]

    /// Launches, with a REPORT_ID that never was before, and logs what was launched.
    func launch(log: EventLog) throws(PSPFault) -> SimulatedProcessor {
        let content = try directory.read()
        var platform = content.platform
        if faults.contains(.lowTCB) { platform.tcb = platform.tcb.lowest }
        let template = template(for: platform)
        log.write("launch", Self.members(template))
        guard !faults.isDisjoint(with: Self.endorsementFaults) else {
            let certificate = content.certificate
            let issuers = content.authority.certificates
            return SimulatedProcessor(
                template: template, key: content.takeKey(), certificate: certificate,
                issuers: issuers, floor: vmpl, faults: faults)
        }
        return try processor(template, platform, under: content.takeAuthority())
    }

    /// A processor whose endorsement is made now, since a fault wants another one than there is.
    private func processor(
        _ template: ReportTemplate, _ platform: Platform, under authority: consuming Authority
    ) throws(PSPFault) -> SimulatedProcessor {
        var authority = authority
        let now = Clock.realtime
        if faults.contains(.wrongRoot) {
            authority = try PSPFault.defects { () throws(CryptoError) in
                try Authority(product: platform.product, keyKind: platform.keyKind, now: now)
            }
        }
        let key = try PSPFault.defects { () throws(CryptoError) in
            try SigningKey.generate(.p384)
        }
        let certificate = try PSPFault.defects { () throws(CryptoError) in
            try authority.endorse(platform, key: key, now: now) { template in
                if faults.contains(.expiredKey) { template.notAfter = now - Self.day }
                if faults.contains(.expiredKey) { template.notBefore = now - 30 * Self.day }
                if faults.contains(.futureKey) { template.notBefore = now + Self.day }
            }
        }
        let list = try PSPFault.defects { () throws(CryptoError) in
            try revocationList(of: authority, platform, now: now)
        }
        return SimulatedProcessor(
            template: template, key: key, certificate: certificate,
            issuers: authority.certificates, floor: vmpl, faults: faults, revocationList: list)
    }

    /// The list that the host puts into its table, where a fault is about one.
    private func revocationList(
        of authority: borrowing Authority, _ platform: Platform, now: Int64
    ) throws(CryptoError) -> [UInt8]? {
        let isAboutKey = faults.contains(.revokedKey)
        let isAboutIssuer = faults.contains(.revokedIntermediate)
        guard isAboutKey || isAboutIssuer || faults.contains(.expiredList) else { return nil }
        let intermediate = Authority.intermediateTemplate(
            platform.product, platform.keyKind, now: now)
        let until = faults.contains(.expiredList) ? now - Self.day : now + 30 * Self.day
        return try authority.revocationList(
            byIntermediate: isAboutKey,
            revoking: isAboutKey
                ? [platform.certificateSerial] : isAboutIssuer ? [intermediate.serial] : [],
            issued: now - 30 * Self.day, until: until)
    }

    private func template(for platform: Platform) -> ReportTemplate {
        var template = ReportTemplate(
            version: reportVersion, product: platform.product, policy: policy,
            isSignedByVLEK: platform.keyKind == .vlek, tcb: platform.tcb.raw,
            measurement: measurement,
            hostData: hostData ?? FixedBytes(),
            reportID: FixedBytes(Random.bytes(32)) ?? FixedBytes(),
            chipID: platform.reportedChipID)
        for fault in faults { apply(fault, to: &template, platform) }
        return template
    }

    private func apply(_ fault: Fault, to template: inout ReportTemplate, _ platform: Platform) {
        switch fault {
        case .debug: template.policy |= Self.debugBit
        case .migration: template.policy |= Self.migrationBit
        case .maskedChip:
            template.chipID = FixedBytes()
            template.masksChipKey = true
        case .otherChip: template.chipID[0] ^= 1
        case .otherTCB: template.tcb = platform.tcb.other
        case .platformInfo(let bits): template.platformInfo = bits
        case .mitigations(let launch, let current):
            template.launchMitigations = launch
            template.currentMitigations = current
        default: break
        }
    }

    private static func members(_ template: ReportTemplate) -> [(String, JSONText.Value)] {
        [
            ("product", .string(template.product.rawValue)),
            ("measurement", .string(template.measurement.hex)),
            ("host_data", .string(template.hostData.hex)),
            ("policy", .string("0x" + String(template.policy, radix: 16))),
            ("report_id", .string(template.reportID.hex)),
            ("chip_id", .string(template.chipID.hex)),
        ]
    }
}
