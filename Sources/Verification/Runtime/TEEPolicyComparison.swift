internal import Bytes
internal import Evidence
internal import Policy

/// Holds what a processor says now against what a snapshot recorded.
///
/// REPORT_DATA is another one in each report and is not compared. REPORT_ID tells boots apart, and belongs to
/// the check `reboot`.
struct TEEPolicyComparison {
    /// The values that differ, each with what was expected and what came.
    private(set) var faults: [String] = []
    /// How many values were compared.
    private(set) var count = 0

    init(_ policy: SnapshotHeader.TEEPolicy?, _ hardware: Claims.Hardware) {
        switch (policy, hardware) {
        case (nil, _): break
        case (.snp(let policy)?, .snp(let claims)): compare(policy, claims)
        case (.tdx(let policy)?, .tdx(let claims)): compare(policy, claims)
        case (.snp?, .tdx): faults.append("an SNP report expected, got a TDX quote")
        case (.tdx?, .snp): faults.append("a TDX quote expected, got an SNP report")
        }
    }

    private mutating func compare(_ policy: SnapshotHeader.SNPPolicy, _ claims: SNPClaims) {
        equal("MEASUREMENT", policy.measurement?.hex, claims.measurement.hex)
        equal("FAMILY_ID", policy.familyID?.hex, claims.familyID.hex)
        equal("IMAGE_ID", policy.imageID?.hex, claims.imageID.hex)
        equal("GUEST_SVN", policy.guestSVN?.description, "\(claims.guestSVN)")
        equal("ID_KEY_DIGEST", policy.idKeyDigest?.hex, claims.idKeyDigest.hex)
        // Zero in the report as well, where there is no author key.
        equal(
            "AUTHOR_KEY_DIGEST", policy.authorKeyDigest?.hex,
            (claims.authorKeyDigest ?? FixedBytes()).hex)
        equal("POLICY", policy.policy.map(Self.hex), Self.hex(claims.guestPolicy.rawValue))
        equal("REPORT_ID_MA", policy.reportIDMA?.hex, claims.reportIDMA.hex)
    }

    private mutating func compare(_ policy: SnapshotHeader.TDXPolicy, _ claims: TDXClaims) {
        let body = claims.body
        atLeast("QE SVN", policy.minimumQESVN, claims.header?.qeSVN)
        atLeast("PCE SVN", policy.minimumPCESVN, claims.header?.pceSVN)
        // A quote by any other is not read.
        equal("QE_VENDOR_ID", policy.qeVendorID?.hex, Hex.encode(TDXQuote.intelVendorID))
        if let minimum = policy.minimumTEETCBSVN {
            count += 1
            let isNewEnough = zip(body.teeTCBSVN.bytes, minimum.bytes).allSatisfy { $0 >= $1 }
            if !isNewEnough {
                fault("TEE_TCB_SVN", "at least \(minimum.hex) in each byte", body.teeTCBSVN.hex)
            }
        }
        equal("MRSEAM", policy.mrSeam?.hex, body.mrSEAM.hex)
        var attributes = ByteWriter()
        attributes.littleEndian(body.tdAttributes.rawValue)
        equal("TDATTRIBUTES", policy.tdAttributes?.hex, Hex.encode(attributes.bytes))
        equal("XFAM", policy.xfam.map(Self.hex), Self.hex(body.xfam))
        equal("MRTD", policy.mrTD?.hex, body.mrTD.hex)
        equal("MRCONFIGID", policy.mrConfigID?.hex, body.mrConfigID.hex)
        equal("MROWNER", policy.mrOwner?.hex, body.mrOwner.hex)
        equal("MROWNERCONFIG", policy.mrOwnerConfig?.hex, body.mrOwnerConfig.hex)
    }

    private mutating func equal(_ field: String, _ expected: String?, _ actual: String) {
        guard let expected else { return }
        count += 1
        if expected != actual { fault(field, expected, actual) }
    }

    private mutating func atLeast(_ field: String, _ minimum: UInt16?, _ actual: UInt16?) {
        guard let minimum else { return }
        count += 1
        if actual.map({ $0 < minimum }) ?? true {
            fault(field, "at least \(minimum)", actual.map { "\($0)" } ?? "nothing")
        }
    }

    private mutating func fault(_ field: String, _ expected: String, _ actual: String) {
        faults.append("\(field): expected \(expected), got \(actual)")
    }

    private static func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}
