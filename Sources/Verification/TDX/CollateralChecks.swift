import Bytes
import Evidence
import OpenSSL
import Policy

/// The checks of one quote against what Intel publishes.
struct CollateralChecks {
    let quote: TDXQuote
    let chain: PCKChain
    let collateral: JudgedCollateral
    /// The verifier's own clock, Unix seconds.
    let time: Int64

    /// Every finding of ``TDXCheck/ofCollateral``, and the rating if there is something to rate with.
    func findings() -> (findings: [Finding], rating: TDXRating?) {
        var findings = [
            sameRoot(collateral.tcbInfoFinding, .tcbInfo),
            sameRoot(collateral.qeIdentityFinding, .qeIdentity),
            sameRoot(collateral.listsFinding, .revocationLists), dates, revocation,
        ]
        // A document that is not Intel's must not decide anything, not even in words.
        guard let platform = chain.platform, chain.isSound, let info = collateral.tcbInfo,
            let identity = collateral.qeIdentity,
            findings.prefix(2).allSatisfy({ $0.outcome == .ok })
        else {
            let reason = "no sound PCK chain, or no genuine TCB info and QE identity"
            for check in [
                TDXCheck.endorsedPlatform, .quotingEnclave, .moduleIdentity, .tcbLevel,
            ] {
                findings.append(check.notChecked(expected: "Intel's word", because: reason))
            }
            return (findings, nil)
        }
        let evaluation = TCBEvaluation(
            info: info, identity: identity, platform: platform, quote: quote)
        let rating = evaluation.rating
        let endorsed = endorsedPlatform(info, platform)
        findings += [
            endorsed, quotingEnclave(identity), moduleIdentity(evaluation.module),
            tcbLevel(rating, endorsed),
        ]
        return (findings, endorsed.outcome == .ok ? rating : nil)
    }

    /// Quote and documents have to hang on one pinned key: with several pins, one vendor's test root
    /// must not vouch for another's platforms.
    private func sameRoot(_ finding: Finding, _ check: TDXCheck) -> Finding {
        guard finding.outcome == .ok, chain.isSound,
            collateral.issuers.contains(where: { $0.anchor != chain.anchor })
        else { return finding }
        return check.finding(
            false, expected: "the root of the PCK chain, \(chain.anchor?.name ?? "-")",
            actual: collateral.issuers.map { $0.anchor?.name ?? "-" }.joined(separator: ", "))
    }

    private var dates: Finding {
        var spans: [(name: String, from: Int64, until: Int64)] = []
        if let info = collateral.tcbInfo {
            spans.append(("TCB info", info.issueDate, info.nextUpdate))
        }
        if let identity = collateral.qeIdentity {
            spans.append(("QE identity", identity.issueDate, identity.nextUpdate))
        }
        for (name, list) in [("PCK CRL", collateral.pckCRL), ("root CA CRL", collateral.rootCRL)] {
            if let list { spans.append((name, list.thisUpdate, list.nextUpdate)) }
        }
        return TDXDates.finding(.collateralDates, spans, at: time)
    }

    private var revocation: Finding {
        let expected = "no certificate is on its issuer's list"
        guard let pckCRL = collateral.pckCRL, let rootCRL = collateral.rootCRL,
            sameRoot(collateral.listsFinding, .revocationLists).outcome == .ok, chain.isSound,
            let leaf = chain.leaf
        else {
            return TDXCheck.revocation.notChecked(
                expected: expected, because: "no sound PCK chain, or no genuine revocation lists")
        }
        var faults: [String] = []
        if !pckCRL.covers(leaf) {
            faults.append(
                "the PCK CRL is of \(pckCRL.issuerCommonName), not of \(leaf.issuerCommonName)")
        }
        let others = chain.certificates.dropFirst() + collateral.certificates
        for (list, certificates) in [(pckCRL, [leaf]), (rootCRL, Array(others))] {
            for certificate in certificates where list.revokes(certificate) {
                faults.append(
                    "\(certificate.subjectCommonName) (serial \(certificate.serialHex)) "
                        + "is revoked by \(list.issuerCommonName)")
            }
        }
        return TDXCheck.revocation.finding(
            faults: faults.uniqued(), expected: expected, actual: "none is")
    }

    private func endorsedPlatform(_ info: TCBInfo, _ platform: PCKExtension) -> Finding {
        TDXCheck.endorsedPlatform.finding(
            info.fmspc == platform.fmspc && info.pceID == platform.pceID,
            expected: "FMSPC \(platform.fmspc.hex), PCE-ID \(platform.pceID.hex)",
            actual: "FMSPC \(info.fmspc.hex), PCE-ID \(info.pceID.hex)")
    }

    private func quotingEnclave(_ identity: QEIdentity) -> Finding {
        let report = quote.qeReport
        var faults: [String] = []
        if report.mrSigner != identity.mrSigner {
            faults.append("MRSIGNER \(report.mrSigner.hex)")
        }
        if report.productID != identity.productID {
            faults.append("ISVPRODID \(report.productID)")
        }
        if report.miscSelect.masked(by: identity.miscSelectMask)
            != identity.miscSelect.masked(by: identity.miscSelectMask)
        {
            faults.append("MISCSELECT \(report.miscSelect.hex)")
        }
        if report.attributes.masked(by: identity.attributesMask)
            != identity.attributes.masked(by: identity.attributesMask)
        {
            faults.append("ATTRIBUTES \(report.attributes.hex)")
        }
        return TDXCheck.quotingEnclave.finding(
            faults: faults,
            expected: "MRSIGNER \(identity.mrSigner.hex), ISVPRODID \(identity.productID), "
                + "MISCSELECT \(identity.miscSelect.hex)/\(identity.miscSelectMask.hex), "
                + "ATTRIBUTES \(identity.attributes.hex)/\(identity.attributesMask.hex)",
            actual: "all of them, ISVSVN \(report.svn)")
    }

    private func moduleIdentity(_ module: TCBInfo.Module?) -> Finding {
        let body = quote.body
        let name = "TDX_\(Hex.encode([body.teeTCBSVN[1]]))"
        guard let module else {
            return TDXCheck.moduleIdentity.finding(
                false, expected: "a module identity \(name) in the TCB info", actual: "none")
        }
        let holds =
            body.mrSignerSEAM == module.mrSigner
            && body.seamAttributes.masked(by: module.attributesMask)
                == module.attributes.masked(by: module.attributesMask)
        return TDXCheck.moduleIdentity.finding(
            holds,
            expected: "\(name): signer \(module.mrSigner.hex), attributes "
                + "\(module.attributes.hex)/\(module.attributesMask.hex)",
            actual: "MRSIGNERSEAM \(body.mrSignerSEAM.hex), "
                + "SEAMATTRIBUTES \(body.seamAttributes.hex)")
    }

    private func tcbLevel(_ rating: TDXRating, _ endorsed: Finding) -> Finding {
        let expected = "a level for platform, TDX module and quoting enclave"
        guard endorsed.outcome == .ok else {
            return TDXCheck.tcbLevel.notChecked(
                expected: expected, because: "the TCB info is for other platforms")
        }
        func text(_ status: TCBStatus?) -> String { status?.rawValue ?? "no level matches" }
        return TDXCheck.tcbLevel.finding(
            rating.status != nil, expected: expected,
            actual: "platform \(text(rating.platform)), module \(text(rating.module)), "
                + "quoting enclave \(text(rating.quotingEnclave))",
            note: rating.relaunchHelps
                ? "the module was updated since the launch; a new launch is rated better" : nil)
    }
}

extension FixedBytes {
    /// The bits that `mask` has.
    fileprivate func masked(by mask: Self) -> Self {
        var result = self
        for index in 0..<count { result[index] = self[index] & mask[index] }
        return result
    }
}

extension Array where Element: Hashable {
    /// Each element where it stands first.
    fileprivate func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
