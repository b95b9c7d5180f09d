import Bytes
import Evidence
import OpenSSL
import Policy

/// The checks of one report against the chain that is to vouch for it.
struct ReportChecks {
    let report: SNPReport
    let chain: EndorsementChain
    let maskedChipIsAllowed: Bool

    private static let noCertificate = CertificateChecks.noCertificate

    /// The signature, over the bytes as they came (publication 56860, table ATTESTATION_REPORT).
    var signature: Finding {
        let expected = "ECDSA P-384 with SHA-384 by the certified key"
        guard let leaf = chain.leaf else {
            return SNPCheck.signature.notChecked(
                expected: expected, because: Self.noCertificate)
        }
        guard report.signingKey != .none else {
            return SNPCheck.signature.finding(
                false, expected: expected, actual: "not signed (SIGNING_KEY is none)")
        }
        let holds = leaf.certificate.verifyP384SHA384(
            signedBytes: report.signedBytes, r: report.signatureR.bytes,
            s: report.signatureS.bytes)
        return SNPCheck.signature.finding(
            holds, expected: expected,
            actual: holds ? "by \(signer(leaf))" : "not by \(signer(leaf))")
    }

    private func signer(_ leaf: EndorsementCertificate) -> String {
        switch leaf.kind {
        case .vlek: "the VLEK of \(leaf.providerID ?? "an unnamed provider")"
        default: "the VCEK of chip \(leaf.hardwareID.map { Hex.encode($0.prefix(8)) } ?? "?")"
        }
    }

    /// CPUID, productName in the leaf, the names of the issuers and the pin are about one line.
    var product: Finding { CertificateChecks(chain: chain).product(report: report) }

    /// KEY_INFO against the kind of certificate, which has to have the marks of its kind.
    var endorsementKey: Finding {
        let expected = "\(report.signingKey.rawValue.uppercased()), as KEY_INFO says"
        guard let leaf = chain.leaf else {
            return SNPCheck.endorsementKey.notChecked(
                expected: expected, because: Self.noCertificate)
        }
        var faults: [String] = []
        if leaf.kind != report.signingKey {
            faults.append("the certificate is a \(leaf.kindName)")
        }
        faults += CertificateChecks.faults(leaf)
        // With the chip's keys masked the firmware signs with no VCEK, so this is no report of its.
        if report.signingKey == .vcek, report.maskChipKey {
            faults.append("MASK_CHIP_KEY is set")
        }
        return SNPCheck.endorsementKey.finding(
            faults.isEmpty, expected: expected,
            actual: faults.isEmpty ? leaf.kindText : faults.joined(separator: "; "))
    }

    /// CHIP_ID against hwID: 64 bytes, or from Turin on 8 and the rest of CHIP_ID zero.
    var endorsedChip: Finding {
        let isMasked = report.chipID.isZero
        let actual =
            isMasked ? "hidden by the host (MASK_CHIP_ID)" : "CHIP_ID \(report.chipID.hex)"
        guard let leaf = chain.leaf else {
            return SNPCheck.endorsedChip.notChecked(
                expected: "the chip of the certificate", actual: actual,
                because: Self.noCertificate)
        }
        if leaf.kind == .vlek {
            return SNPCheck.endorsedChip.notChecked(
                expected: "any chip of \(leaf.providerID ?? "an unnamed provider")",
                actual: actual, because: "a VLEK is lent to a provider, not bound to a chip")
        }
        if chipMayBeUnchecked {
            return SNPCheck.endorsedChip.notChecked(
                expected: leaf.hardwareIDText, actual: actual,
                because: "the VCEK alone names the chip")
        }
        return SNPCheck.endorsedChip.finding(
            !isMasked && leaf.chip == report.chipID, expected: leaf.hardwareIDText, actual: actual)
    }

    /// Whether ``endorsedChip`` may be left unchecked: a VLEK is for every chip of its provider, and a
    /// caller may allow that only the VCEK says which chip it is.
    var chipMayBeUnchecked: Bool {
        chain.leaf?.kind == .vlek
            || maskedChipIsAllowed && report.chipID.isZero && chain.leaf?.chip != nil
    }

    /// REPORTED_TCB against the SPL extensions, part by part.
    var endorsedTCB: Finding {
        guard let leaf = chain.leaf, let product = productOfLeaf else {
            return SNPCheck.endorsedTCB.notChecked(
                expected: "the versions in the certificate", because: Self.noCertificate)
        }
        let reported = TCBVersion(raw: report.reportedTCB, product: product)
        return SNPCheck.endorsedTCB.finding(
            reported.components.allSatisfy { leaf.levels[$0.component] == $0.value },
            expected: leaf.levelText, actual: "\(reported)")
    }

    /// REPORTED_TCB <= COMMITTED_TCB <= CURRENT_TCB and LAUNCH_TCB <= CURRENT_TCB in every part, and
    /// COMMITTED <= CURRENT in the firmware's own version. LAUNCH_TCB may stand above COMMITTED_TCB:
    /// firmware that runs need not be committed yet.
    var tcbOrder: Finding {
        let expected = "reported <= committed <= current, launch <= current"
        guard let product = productOfLeaf ?? report.product else {
            return SNPCheck.tcbOrder.notChecked(
                expected: expected, because: "the processor line is not known")
        }
        let reported = TCBVersion(raw: report.reportedTCB, product: product)
        let committed = TCBVersion(raw: report.committedTCB, product: product)
        let current = TCBVersion(raw: report.currentTCB, product: product)
        let launch = TCBVersion(raw: report.launchTCB, product: product)
        let holds =
            report.committedVersion <= report.currentVersion
            && reported.isAtMost(committed) && committed.isAtMost(current)
            && launch.isAtMost(current)
        if holds, report.reportedTCB == report.currentTCB, report.launchTCB == report.currentTCB {
            return SNPCheck.tcbOrder.finding(
                true, expected: expected, actual: "all \(current)")
        }
        return SNPCheck.tcbOrder.finding(
            holds, expected: expected,
            actual: "reported \(reported); committed \(committed), firmware "
                + "\(report.committedVersion); current \(current), firmware "
                + "\(report.currentVersion); launch \(launch)")
    }

    /// REPORT_DATA against what this session wants; the comparison takes the same time for any bytes.
    func binding(to expected: FixedBytes<64>?) -> Finding {
        guard let expected else {
            return SNPCheck.binding.notChecked(
                expected: "not asked", actual: report.reportData.hex,
                because: "no report data was expected")
        }
        return SNPCheck.binding.finding(
            report.reportData == expected, expected: expected.hex, actual: report.reportData.hex,
            note: "this TLS session, this nonce, this key, this configuration")
    }

    private var productOfLeaf: SNPProduct? { chain.leaf?.product }
}
