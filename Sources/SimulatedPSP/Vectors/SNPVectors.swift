import Bytes
import Evidence
import OpenSSL

/// SNP reports of every version, line and key, good ones and such as have one thing wrong.
struct SNPVectors {
    let vendor: SNPVendor
    let seed: VectorSeed
    let now: Int64

    private static let day: Int64 = 86400

    private var reportData: [UInt8] { seed.bytes("report data", count: 64) }

    func add(to set: inout VectorSet) throws {
        for product in SNPProduct.allCases {
            for kind in [SNPSigningKey.vcek, .vlek] {
                let chip = try VectorChip(product, kind, vendor: vendor, seed: seed, set: &set)
                for version in [2, 3, 5] as [UInt32] {
                    try addGood(chip, version, to: &set)
                }
                if product == .milan {
                    try SNPNegatives(chip: chip, vendor: vendor, seed: seed, now: now)
                        .add(to: &set)
                }
            }
        }
    }

    private func addGood(_ chip: VectorChip, _ version: UInt32, to set: inout VectorSet) throws {
        let product = chip.platform.product
        let id =
            "snp-\(product.rawValue.lowercased())-\(chip.platform.keyKind.rawValue)-v\(version)"
        let report = try chip.report(
            chip.template(version: version, seed: seed), reportData: reportData)
        set.add(
            VectorEntry(
                id: id, kind: "snp-report-v\(version)",
                tags: [product.rawValue.lowercased(), chip.platform.keyKind.rawValue],
                files: [(set.file("snp/\(id).bin", report), "report")] + chip.files,
                cases: cases(chip)))
    }

    /// What is asked of every good report.
    private func cases(_ chip: VectorChip) -> [VectorCase] {
        let isVLEK = chip.platform.keyKind == .vlek
        let over = now + (isVLEK ? 1 : 7) * 365 * Self.day + Self.day
        var cases = [
            VectorCase(name: "default-policy"),
            VectorCase(
                name: "report-data-equal",
                inputs: [("report_data", .string(Hex.encode(reportData)))]),
            VectorCase(
                name: "report-data-different", reason: "report-data-mismatch",
                inputs: [("report_data", .string(Hex.encode(Self.changed(reportData))))]),
            VectorCase(
                name: "measurement-equal",
                policy: [("measurement", .string(Hex.encode(measurement)))]),
            VectorCase(
                name: "measurement-different", reason: "measurement-mismatch",
                policy: [("measurement", .string(Hex.encode(Self.changed(measurement))))]),
            VectorCase(name: "minimum-equal", policy: [("minimum_tcb", minimum(chip))]),
            VectorCase(name: "vmpl-0", policy: [("vmpl", 0)]),
            VectorCase(name: "vmpl-1", reason: "vmpl-mismatch", policy: [("vmpl", 1)]),
            VectorCase(name: "key-expired", reason: "cert-expired", time: over),
            VectorCase(
                name: "key-not-yet-valid", reason: "cert-not-yet-valid", time: now - 2 * Self.day),
            VectorCase(
                name: "vcek-required", reason: isVLEK ? "wrong-signer-type" : nil,
                policy: [("require_vcek", .boolean(true))]),
        ]
        for component in chip.platform.product.components {
            cases.append(
                VectorCase(
                    name: "minimum-\(component.rawValue)-higher", reason: "tcb-below-minimum",
                    policy: [("minimum_tcb", minimum(chip, raising: component))]))
        }
        let anchored = cases.map { one in
            var one = one
            one.time = one.time ?? now
            one.policy.append(("trust_anchor", "ark.der"))
            return one
        }
        return anchored + [
            VectorCase(name: "vendor-roots-only", reason: "untrusted-root", time: now)
        ]
    }

    private var measurement: [UInt8] { seed.bytes("measurement", count: 48) }

    private func minimum(
        _ chip: VectorChip, raising raised: TCBComponent? = nil
    ) -> JSONText.Value {
        .object(
            chip.platform.product.components.map { component in
                let own = Int(chip.platform.tcb.values[component, default: 0])
                return (component.rawValue, .number(own + (component == raised ? 1 : 0)))
            })
    }

    static func changed(_ bytes: [UInt8]) -> [UInt8] {
        var changed = bytes
        changed[0] ^= 1
        return changed
    }
}
