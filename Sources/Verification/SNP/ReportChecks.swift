import Bytes
import Evidence
import OpenSSL
import Policy

/// The checks of one report against the chain that is to vouch for it.
struct ReportChecks {
    let report: SNPReport
    let chain: EndorsementChain

    private static let noCertificate = "no VCEK or VLEK certificate that can be read"

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

    /// CPUID, both names in the leaf, the names of the issuers and the pin are about one line.
    var product: Finding {
        var sources: [(source: String, product: SNPProduct?)] = []
        if let cpuid = report.cpuid {
            let numbers = "\(Hex.encode([cpuid.family])) \(Hex.encode([cpuid.model]))"
            let name = report.product?.rawValue ?? "unknown"
            sources.append(("CPUID \(numbers) (\(name))", report.product))
        }
        guard let leaf = chain.leaf, let anchor = chain.anchor, let pinned = anchor.product,
            chain.certificates.count == 3
        else {
            return SNPCheck.product.notChecked(
                expected: "one processor line", actual: sources.map(\.source).joined(),
                because: "no chain up to a pinned root")
        }
        sources.append(("certificate \(leaf.productName ?? "without productName")", leaf.product))
        for issuer in chain.certificates.dropFirst() {
            let name = issuer.subjectCommonName
            let line = name.split(separator: "-").last.map(String.init) ?? name
            sources.append((name, SNPProduct(rawValue: line)))
        }
        sources.append(("pin \(anchor.name)", pinned))
        return SNPCheck.product.finding(
            sources.allSatisfy { $0.product == pinned },
            expected: "\(pinned.rawValue) everywhere",
            actual: sources.map(\.source).joined(separator: ", "))
    }

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
        if leaf.kind == .vcek, leaf.hardwareID == nil {
            faults.append("the VCEK has no hwID")
        }
        if leaf.kind == .vlek, leaf.hardwareID != nil {
            faults.append("the VLEK has a hwID")
        }
        if leaf.kind == .vlek, leaf.providerID == nil {
            faults.append("the VLEK has no cspID")
        }
        if leaf.kind == .vcek, leaf.providerID != nil {
            faults.append("the VCEK has a cspID")
        }
        // With the chip's keys masked the firmware signs with no VCEK, so this is no report of its.
        if report.signingKey == .vcek, report.maskChipKey {
            faults.append("MASK_CHIP_KEY is set")
        }
        return SNPCheck.endorsementKey.finding(
            faults.isEmpty, expected: expected,
            actual: faults.isEmpty ? leaf.kindName : faults.joined(separator: "; "))
    }

    /// CHIP_ID against hwID: 64 bytes, or from Turin on 8 and the rest of CHIP_ID zero.
    var endorsedChip: Finding {
        let actual = "CHIP_ID \(report.chipID.hex)"
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
        let hardwareID = leaf.hardwareID ?? []
        let size = productOfLeaf == .turin ? 8 : 64
        let padded = hardwareID + Array(repeating: 0, count: max(0, 64 - hardwareID.count))
        let holds =
            hardwareID.count == size && !report.chipID.isZero
            && FixedBytes<64>(padded) == report.chipID
        return SNPCheck.endorsedChip.finding(
            holds, expected: "hwID \(Hex.encode(hardwareID)) of \(size) bytes", actual: actual)
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
            expected: leaf.levelText(for: product), actual: "\(reported)")
    }

    /// REPORTED_TCB <= COMMITTED_TCB <= CURRENT_TCB in every part. LAUNCH_TCB may stand above
    /// COMMITTED_TCB, and above CURRENT_TCB after firmware was rolled back under a running guest.
    var tcbOrder: Finding {
        let expected = "reported <= committed <= current"
        guard let product = productOfLeaf ?? report.product else {
            return SNPCheck.tcbOrder.notChecked(
                expected: expected, because: "the processor line is not known")
        }
        let reported = TCBVersion(raw: report.reportedTCB, product: product)
        let committed = TCBVersion(raw: report.committedTCB, product: product)
        let current = TCBVersion(raw: report.currentTCB, product: product)
        let holds = product.components.allSatisfy { part in
            guard let low = reported[part], let middle = committed[part], let high = current[part]
            else { return false }
            return low <= middle && middle <= high
        }
        return SNPCheck.tcbOrder.finding(
            holds, expected: expected,
            actual: "reported \(reported); committed \(committed); current \(current)")
    }

    /// REPORT_DATA against what this session wants; the comparison takes the same time for any bytes.
    func binding(to expected: FixedBytes<64>) -> Finding {
        SNPCheck.binding.finding(
            report.reportData == expected, expected: expected.hex, actual: report.reportData.hex,
            note: "this TLS session, this nonce, this key, this configuration")
    }

    private var productOfLeaf: SNPProduct? { chain.leaf?.product }
}
