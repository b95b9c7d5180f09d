import Bytes
import Evidence
import Policy

/// What a processor says, as members of `claims`.
enum HardwareClaims {
    static func members(_ snp: SNPClaims) -> [Claim] {
        [
            Claim("product", "processor", .text(snp.product.rawValue)),
            Claim("measurement", "measurement", .text(snp.measurement.hex)),
            Claim("host_data", nil, .text(snp.hostData.hex)),
            Claim("report_id", "report ID", .text(snp.reportID.hex)),
            Claim(
                "chip_id", "chip", snp.chipID.map { .text($0.hex) } ?? .none,
                snp.chipID?.hex ?? "hidden by the host"),
            Claim("vmpl", "VMPL", .number(UInt64(snp.vmpl))),
            Claim("signing_key", "signing key", .text(snp.signingKey.rawValue)),
            Claim("provider", "provider", snp.providerID.map(ClaimValue.text) ?? .none),
            Claim("guest_policy", "guest policy", policy(snp.guestPolicy)),
            Claim("platform_info", "platform", platform(snp.platformInfo)),
            Claim("reported_tcb", "reported TCB", tcb(snp.reportedTCB)),
            Claim("committed_tcb", "committed TCB", tcb(snp.committedTCB)),
            Claim("current_tcb", "current TCB", tcb(snp.currentTCB)),
            Claim("launch_tcb", "launch TCB", tcb(snp.launchTCB)),
            Claim(
                "launch_mitigations", "mitigations",
                snp.launchMitigations.map(ClaimValue.hex) ?? .none),
            Claim(
                "current_mitigations", nil, snp.currentMitigations.map(ClaimValue.hex) ?? .none),
            Claim(
                "id_key_sha384", "ID key",
                snp.idKeyDigest.isZero ? .none : .text(snp.idKeyDigest.hex)),
            Claim(
                "author_key_sha384", "author key",
                snp.authorKeyDigest.map { .text($0.hex) } ?? .none),
            dates("revocation_list", "revocations", snp.revocationList),
        ]
    }

    static func members(_ tdx: TDXClaims) -> [Claim] {
        let body = tdx.body
        var members = [Claim("mrtd", "MRTD", .text(body.mrTD.hex))]
        for (index, register) in body.rtmr.enumerated() {
            members.append(Claim("rtmr\(index)", "RTMR\(index)", .text(register.hex)))
        }
        return members + [
            Claim("mrconfigid", nil, .text(body.mrConfigID.hex)),
            Claim("td_attributes", "TD attributes", attributes(body.tdAttributes)),
            Claim("xfam", "XFAM", .hex(body.xfam)),
            Claim("mrseam", "TDX module", .text(body.mrSEAM.hex)),
            Claim("mrowner", "TD owner", .text(body.mrOwner.hex)),
            Claim("mrownerconfig", "owner config", .text(body.mrOwnerConfig.hex)),
            Claim("fmspc", "platform family", .text(tdx.fmspc.hex)),
            Claim(
                "tcb_status", "TCB status", tdx.tcbStatus.map { .text($0.rawValue) } ?? .none,
                tdx.tcbStatus?.rawValue ?? "not checked"),
            Claim("advisories", "advisories", .texts(tdx.advisories)),
            dates("collateral", "Intel's lists", tdx.collateral),
        ]
    }

    private static func policy(_ policy: GuestPolicy) -> ClaimValue {
        .object([
            Claim("value", nil, .hex(policy.rawValue)),
            Claim("minimum_abi", nil, .text("\(policy.abiMajor).\(policy.abiMinor)")),
            Claim("debug", nil, .flag(policy.allowsDebug)),
            Claim("migration", nil, .flag(policy.allowsMigration)),
            Claim("smt", nil, .flag(policy.allowsSMT)),
            Claim("single_socket", nil, .flag(policy.requiresSingleSocket)),
        ])
    }

    private static func platform(_ platform: PlatformInfo) -> ClaimValue {
        .object([
            Claim("value", nil, .hex(platform.rawValue)),
            Claim("smt", nil, .flag(platform.hasSMT)),
            Claim("tsme", nil, .flag(platform.hasTSME)),
            Claim("ciphertext_hiding", nil, .flag(platform.hasCiphertextHiding)),
            Claim("alias_check", nil, .flag(platform.hasAliasCheck)),
        ])
    }

    private static func attributes(_ attributes: TDAttributes) -> ClaimValue {
        .object([
            Claim("value", nil, .hex(attributes.rawValue)),
            Claim("debug", nil, .flag(attributes.allowsDebug)),
            Claim("migration", nil, .flag(attributes.allowsMigration)),
            Claim("sept_ve_disable", nil, .flag(attributes.disablesSEPTExceptions)),
        ])
    }

    private static func tcb(_ version: TCBVersion) -> ClaimValue {
        .object(
            version.components.map {
                Claim($0.component.rawValue, nil, .number(UInt64($0.value)))
            })
    }

    private static func dates(
        _ name: String, _ title: String, _ dates: EndorsementDates?
    ) -> Claim {
        guard let dates else { return Claim(name, title, .none) }
        let (issued, next) = (ISO8601.text(dates.issued), ISO8601.text(dates.nextUpdate))
        return Claim(
            name, title,
            .object([
                Claim("issued", nil, .text(issued)), Claim("next_update", nil, .text(next)),
            ]), "issued \(issued), next due \(next)")
    }
}
