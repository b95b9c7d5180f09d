import Evidence
import OpenSSL
import Policy

/// The checks of a chain's marks, with or without a report beside it.
struct CertificateChecks {
    let chain: EndorsementChain

    static let noCertificate = "no VCEK or VLEK certificate that can be read"

    /// The leaf's productName, the names of the issuers and the pin are about one line.
    var product: Finding { product(report: nil) }

    /// As ``product``, and CPUID in the report if it has one.
    func product(report: SNPReport?) -> Finding {
        var processor: String?
        if let report, let cpuid = report.cpuid {
            let name = report.product?.rawValue ?? "unknown"
            let family = String(cpuid.family, radix: 16)
            let model = String(cpuid.model, radix: 16)
            processor = "CPUID \(family)h \(model)h (\(name))"
        }
        guard let line = chain.line else {
            return SNPCheck.product.notChecked(
                expected: "one processor line", actual: processor ?? "-",
                because: "no chain up to a pinned root")
        }
        return SNPCheck.product.finding(
            line.isOne && (processor == nil || report?.product == line.pinned),
            expected: "\(line.pinned.rawValue) everywhere",
            actual: processor.map { "\($0), \(line.sources)" } ?? line.sources)
    }

    /// The leaf has the marks of its kind.
    var kind: Finding {
        let expected = "a VCEK with hwID or a VLEK with cspID"
        guard let leaf = chain.leaf else {
            return SNPCheck.endorsementKey.notChecked(
                expected: expected, because: Self.noCertificate)
        }
        var faults = Self.faults(leaf)
        if leaf.kind == nil { faults.append("the certificate is neither VCEK nor VLEK") }
        return SNPCheck.endorsementKey.finding(
            faults.isEmpty, expected: expected,
            actual: faults.isEmpty ? leaf.kindText : faults.joined(separator: "; "))
    }

    /// What is wrong with the marks of a VCEK or VLEK.
    static func faults(_ leaf: EndorsementCertificate) -> [String] {
        var faults: [String] = []
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
        return faults
    }
}
