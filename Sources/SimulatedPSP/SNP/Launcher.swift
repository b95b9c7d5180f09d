import Bytes
import Evidence
import Linux
import OpenSSL

/// Makes a ``SimulatedProcessor`` out of what was ordered.
struct Launcher {
    var inputs: LaunchInputs
    var directory: PlatformDirectory
    var hostData: FixedBytes<32>?
    var policy: UInt64
    var vmpl: UInt32
    var reportVersion: UInt32
    var faults: Set<Fault>

    /// DEBUG of the guest policy.
    private static let debugBit: UInt64 = 1 << 19

    /// Launches, with a REPORT_ID that never was before, and logs what was launched.
    func launch(log: EventLog) throws(PSPFault) -> SimulatedProcessor {
        let content = try directory.read()
        var platform = content.platform
        if faults.contains(.lowTCB) { platform.tcb = platform.tcb.lowest }
        let template = try template(for: platform)
        log.write("launch", Self.members(template))
        guard faults.contains(.wrongRoot) || faults.contains(.lowTCB) else {
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
            try authority.endorse(platform, key: key, now: now)
        }
        return SimulatedProcessor(
            template: template, key: key, certificate: certificate,
            issuers: authority.certificates, floor: vmpl, faults: faults)
    }

    private func template(for platform: Platform) throws(PSPFault) -> ReportTemplate {
        var reportID = FixedBytes<32>()
        for (index, byte) in Random.bytes(32).enumerated() { reportID[index] = byte }
        return ReportTemplate(
            version: reportVersion, product: platform.product,
            policy: faults.contains(.debug) ? policy | Self.debugBit : policy,
            isSignedByVLEK: platform.keyKind == .vlek, tcb: platform.tcb.raw,
            measurement: try inputs.measurement(hashing: OpenSSLHashing()),
            hostData: hostData ?? FixedBytes(), reportID: reportID,
            chipID: platform.reportedChipID)
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
