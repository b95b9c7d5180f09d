import Bytes
import Evidence
import OpenSSL

/// SNP evidence with one thing wrong in each entry.
struct SNPNegatives {
    let chip: VectorChip
    let vendor: SNPVendor
    let seed: VectorSeed
    let now: Int64

    private static let day: Int64 = 86400

    private var name: String { "snp-milan-\(chip.platform.keyKind.rawValue)" }
    private var reportData: [UInt8] { seed.bytes("report data", count: 64) }
    private var template: ReportTemplate { chip.template(version: 3, seed: seed) }

    func add(to set: inout VectorSet) throws {
        try addReports(to: &set)
        try addChains(to: &set)
        try addLists(to: &set)
    }

    /// One entry with a report of its own and, where they differ, certificates of its own.
    private func add(
        _ what: String, _ report: [UInt8], reason: String,
        files: [(path: String, role: String)]? = nil, more: [VectorCase] = [],
        to set: inout VectorSet
    ) {
        let id = "\(name)-neg-\(what)"
        let anchor: [(String, JSONText.Value)] = [("trust_anchor", "ark.der")]
        let cases = [VectorCase(name: "default-policy", reason: reason, time: now, policy: anchor)]
        set.add(
            VectorEntry(
                id: id, kind: "snp-report-v3",
                tags: ["milan", chip.platform.keyKind.rawValue, "negative"],
                files: [(set.file("snp/\(id).bin", report), "report")] + (files ?? chip.files),
                cases: cases
                    + more.map { one in
                        var one = one
                        one.time = now
                        one.policy += anchor
                        return one
                    }))
    }

    private func addReports(to set: inout VectorSet) throws {
        let good = try chip.report(template, reportData: reportData)
        for (what, offset) in [("signature", 0x2a0), ("body", 0x60)] {
            var bad = good
            bad[offset] ^= 1
            add(what, bad, reason: "bad-signature", to: &set)
        }
        add("short", Array(good.dropLast()), reason: "malformed", to: &set)
        add("long", good + [0], reason: "malformed", to: &set)
        var debug = template
        debug.policy |= 1 << 19
        add(
            "debug", try chip.report(debug, reportData: reportData), reason: "debug-enabled",
            more: [VectorCase(name: "debug-allowed", policy: [("allow_debug", .boolean(true))])],
            to: &set)
        add(
            "vmpl", try chip.report(template, reportData: reportData, vmpl: 2),
            reason: "vmpl-mismatch", cases: "vmpl-0", to: &set)
        var firmware = template
        firmware.tcb = chip.platform.tcb.other
        firmware.currentTCB = chip.platform.tcb.raw
        add(
            "tcb", try chip.report(firmware, reportData: reportData), reason: "chain-broken",
            to: &set)
        guard chip.platform.keyKind == .vcek else { return }
        var other = template
        other.chipID[0] ^= 1
        add(
            "chip", try chip.report(other, reportData: reportData), reason: "chip-id-mismatch",
            to: &set)
    }

    /// A report that only a case with a rule of its own refuses.
    private func add(
        _ what: String, _ report: [UInt8], reason: String, cases rule: String,
        to set: inout VectorSet
    ) {
        let id = "\(name)-neg-\(what)"
        set.add(
            VectorEntry(
                id: id, kind: "snp-report-v3",
                tags: ["milan", chip.platform.keyKind.rawValue, "negative"],
                files: [(set.file("snp/\(id).bin", report), "report")] + chip.files,
                cases: [
                    VectorCase(
                        name: rule, reason: reason, time: now,
                        policy: [("vmpl", 0), ("trust_anchor", "ark.der")])
                ]))
    }

    private func addChains(to set: inout VectorSet) throws {
        let kind = chip.platform.keyKind
        let report = try chip.report(template, reportData: reportData)
        let strangers = try vendor.strangers(.milan, kind)
        let leaf = kind == .vlek ? "vlek" : "vcek"
        let issuer = kind == .vlek ? "asvk" : "ask"
        let foreign = try strangers.endorse(chip.platform, key: chip.key.key, now: now)
        let folder = "snp/\(name)-neg-leaf"
        add(
            "leaf", report, reason: "chain-broken",
            files: [(set.file("\(folder)/\(leaf).der", foreign), "\(leaf)-der")]
                + chip.files.dropFirst(), to: &set)
        let other = "snp/\(name)-neg-root"
        let root = set.file("\(other)/stranger.der", strangers.certificates.root)
        let issuers = set.file("\(other)/\(issuer).der", strangers.certificates.intermediate)
        let certificate = set.file("\(other)/\(leaf).der", foreign)
        add(
            "root", report, reason: "chain-broken",
            files: [
                (certificate, "\(leaf)-der"), (issuers, "\(issuer)-der"), (root, "ark-der"),
                (chip.root, "trust-anchor"),
            ], to: &set)
    }

    private func addLists(to set: inout VectorSet) throws {
        let platform = chip.platform
        let authority = try vendor.authority(.milan, platform.keyKind)
        let report = try chip.report(template, reportData: reportData)
        let issuer = Authority.intermediateTemplate(.milan, platform.keyKind, now: now)
        let lists: [(what: String, byIntermediate: Bool, serials: [[UInt8]], reason: String?)] = [
            ("list", false, [[9]], nil), ("list-issuer", false, [issuer.serial], "cert-revoked"),
            ("list-key", true, [platform.certificateSerial], "cert-revoked"),
            ("list-expired", false, [], "collateral-expired"),
        ]
        let rootList = set.file(
            "snp/\(name)-list/root.crl",
            try authority.revocationList(
                revoking: [], issued: now - Self.day, until: now + 29 * Self.day))
        for list in lists {
            let isExpired = list.reason == "collateral-expired"
            let own = try authority.revocationList(
                byIntermediate: list.byIntermediate, revoking: list.serials,
                issued: now - 31 * Self.day, until: now + (isExpired ? -1 : 29) * Self.day)
            let id = "\(name)-\(list.reason == nil ? "" : "neg-")\(list.what)"
            var files = [
                (path: set.file("snp/\(id)/report.bin", report), role: "report"),
                (path: set.file("snp/\(id)/issuer.crl", own), role: "crl"),
            ]
            // The intermediate's list alone would leave the intermediate itself unchecked.
            if list.byIntermediate { files.append((path: rootList, role: "crl")) }
            set.add(
                VectorEntry(
                    id: id, kind: "snp-report-v3",
                    tags: ["milan", platform.keyKind.rawValue]
                        + (list.reason == nil ? [] : ["negative"]),
                    files: files + chip.files,
                    cases: [
                        VectorCase(
                            name: "revocation", reason: list.reason, time: now,
                            policy: [("trust_anchor", "ark.der")])
                    ]))
        }
    }
}
