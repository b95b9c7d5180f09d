import Bytes
import Evidence
import OpenSSL
import Policy

/// Whether an issuer of a chain has taken one of its certificates back.
///
/// AMD's list is made by the ARK and names ASKs and ASVKs (publication 57230, "CRL"). A list by the
/// intermediate, which names VCEKs or VLEKs, is looked into where there is one.
struct RevocationCheck {
    /// Whether the lists are the issuers' own and the last ones.
    let listFinding: Finding
    /// Whether a certificate is on one of them.
    let finding: Finding
    /// The oldest of the lists that were looked into, of each issuer its newest; nil for none.
    let dates: EndorsementDates?

    /// Judges `lists` by the certificates of `chain` at `time`, Unix seconds.
    init(_ lists: [[UInt8]], of chain: EndorsementChain, in store: ChainStore, at time: Int64) {
        let expected = "a list of each issuer, current at \(ISO8601.text(time))"
        let notRevoked = "no certificate is on its issuer's list"
        var reason: String?
        if lists.isEmpty { reason = "no revocation list was given" }
        if !chain.isSound { reason = "no sound chain up to a pinned root" }
        if let reason {
            listFinding = SNPCheck.revocationList.notChecked(expected: expected, because: reason)
            finding = SNPCheck.revocation.notChecked(expected: notRevoked, because: reason)
            dates = nil
            return
        }
        let judged = Self.judge(lists, chain, store)
        let root = judged.lists.filter { $0.isNamed(chain.certificates[2]) }
        let intermediate = judged.lists.filter { $0.isNamed(chain.certificates[1]) }
        var faults = judged.faults
        var newest: [X509CRL] = []
        for (name, own) in [
            (chain.certificates[2].subjectCommonName, root),
            (chain.certificates[1].subjectCommonName, intermediate),
        ] {
            if let list = own.filter({ $0.isCurrent(at: time) })
                .max(by: { $0.thisUpdate < $1.thisUpdate })
            {
                newest.append(list)
            } else if !own.isEmpty {
                faults += own.map { "the list of \(name) is from \(Self.span($0))" }
            }
        }
        // Of the intermediate a list is optional, but one that came has to be good.
        let holds =
            newest.contains { $0.isNamed(chain.certificates[2]) }
            && (intermediate.isEmpty || newest.count == 2)
        let seen = newest.map { "\($0.issuerCommonName) from \(Self.span($0))" }
        listFinding = SNPCheck.revocationList.finding(
            holds, expected: expected,
            actual: (holds ? seen : faults.isEmpty ? ["none of the ARK"] : faults)
                .joined(separator: "; "),
            note: holds && !faults.isEmpty
                ? "passed over: \(faults.joined(separator: "; "))" : nil)
        dates = newest.map { EndorsementDates(issued: $0.thisUpdate, nextUpdate: $0.nextUpdate) }
            .reduce(nil as EndorsementDates?) { $0?.earliest(with: $1) ?? $1 }
        finding = Self.finding(judged.lists, chain, expected: notRevoked, isCurrent: holds)
    }

    /// What was taken back stays so, whatever the age of the list that says it.
    private static func finding(
        _ lists: [X509CRL], _ chain: EndorsementChain, expected: String, isCurrent: Bool
    ) -> Finding {
        let revoked = chain.certificates.filter { certificate in
            lists.contains { $0.revokes(certificate) }
        }
        guard revoked.isEmpty else {
            let names = revoked.map {
                "\($0.subjectCommonName) (serial \($0.serialHex)) is revoked by "
                    + $0.issuerCommonName
            }
            return SNPCheck.revocation.finding(
                false, expected: expected, actual: names.joined(separator: "; "))
        }
        guard isCurrent else {
            return SNPCheck.revocation.notChecked(
                expected: expected, because: "no genuine and current list of the ARK")
        }
        let covered = chain.certificates.filter { certificate in
            lists.contains { $0.covers(certificate) }
        }
        let leaf = chain.certificates[0]
        let isLeafCovered = lists.contains { $0.covers(leaf) }
        return SNPCheck.revocation.finding(
            true, expected: expected,
            actual: "not on it: \(covered.map(\.subjectCommonName).joined(separator: ", "))",
            note: isLeafCovered
                ? nil : "no list of \(leaf.issuerCommonName) for the \(leaf.subjectCommonName)")
    }

    private static func judge(
        _ lists: [[UInt8]], _ chain: EndorsementChain, _ store: ChainStore
    ) -> (lists: [X509CRL], faults: [String]) {
        var good: [X509CRL] = []
        var faults: [String] = []
        let maximum = SNPCertificates.maximumRevocationLists
        if lists.count > maximum {
            return ([], ["\(lists.count) revocation lists, at most \(maximum) are read"])
        }
        for der in lists {
            do throws(X509Error) {
                var list: X509CRL?
                for issuer in chain.certificates.dropFirst().reversed() where list == nil {
                    list = try store.list(der, by: issuer)
                }
                if let list {
                    good.append(list)
                } else {
                    faults.append("a list is not signed by the chain's ARK, ASK or ASVK")
                }
            } catch {
                faults.append("\(error)")
            }
        }
        return (good, faults)
    }

    private static func span(_ list: X509CRL) -> String {
        "\(ISO8601.text(list.thisUpdate)) until \(ISO8601.text(list.nextUpdate))"
    }
}
