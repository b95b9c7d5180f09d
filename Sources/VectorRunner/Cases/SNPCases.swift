import Bytes
import Evidence
import OpenSSL
import Policy
import Verification

/// SNP reports, and VCEK certificates by themselves.
struct SNPCases {
    let files: CaseFiles

    /// A report with the certificate of its key; issuers come from the folder's roots.
    func report() throws(VectorFault) -> Verdict {
        try files.one.require(onlyPolicy: [
            "allow_debug", "vmpl", "require_vcek", "measurement", "minimum_tcb", "trust_anchor",
        ])
        let report = try files.required("report")
        let verified = try verified(report, expected: try files.one.bytes("report_data"))
        guard let claims = verified.result.claims else { return verified.verdict() }
        let rules = try rules(for: claims)
        return verified.verdict(and: try rules.findings(of: claims))
    }

    /// A certificate's chain and dates, without a report.
    func certificate() throws(VectorFault) -> Verdict {
        let verified = try verified([], expected: nil)
        let chain: Set<String> = [
            "chain", "root", "certificate dates", "revocation list", "revocation",
        ]
        return verified.verdict { chain.contains($0.check) }
    }

    /// Everything that was made of a report.
    struct Verified {
        let result: VerificationResult
        let certificates: [X509Certificate]
        let time: Int64

        func verdict(
            and more: [Finding] = [], where counts: (Finding) -> Bool = { _ in true }
        ) -> Verdict {
            Verdict((result.findings + more).filter(counts), certificates, at: time)
        }
    }

    func verified(
        _ report: [UInt8], expected: [UInt8]?
    ) throws(VectorFault) -> Verified {
        let chain = try chain()
        let leaf = chain.certificates.first
        let time = files.one.time ?? leaf.map { ($0.notBefore + $0.notAfter) / 2 } ?? 0
        let given = expected.flatMap { FixedBytes<64>($0) }
        if let expected, given == nil {
            throw VectorFault("inputs.report_data: expected 64 bytes, got \(expected.count)")
        }
        let result = SNPVerifier(anchors: chain.anchors).verify(
            reportBytes: report, certificates: chain.given, expected: given,
            bindingIsOptional: given == nil, at: time)
        return Verified(result: result, certificates: chain.certificates, time: time)
    }

    /// Certificates, as the verifier takes them.
    struct Chain {
        let given: SNPCertificates
        /// Those that can be read, the leaf first.
        let certificates: [X509Certificate]
        let anchors: [TrustAnchor]
    }

    /// The entry's certificates, and their issuers from the entry or the folder's roots.
    func chain() throws(VectorFault) -> Chain {
        let isVLEK = files.entry.path(role: "vlek-der") != nil
        let leafBytes = try files.required(isVLEK ? "vlek-der" : "vcek-der")
        let leaf = try? X509Certificate(derOrPEM: leafBytes)
        let anchor = try files.givenAnchor()
        let (intermediate, root) = issuers(of: leaf, anchor)
        return Chain(
            given: SNPCertificates(
                endorsementKey: leaf?.der ?? leafBytes, intermediate: intermediate?.der,
                root: root?.der, revocationLists: try lists()),
            certificates: [leaf, intermediate, root].compactMap { $0 },
            anchors: anchors(anchor))
    }

    /// The revocation lists that go with the certificates.
    private func lists() throws(VectorFault) -> [[UInt8]] {
        var lists: [[UInt8]] = []
        for path in files.entry.paths(role: "crl") { lists.append(try files.folder.read(path)) }
        return lists
    }

    /// The certificates that a leaf names as its issuers, from `intermediate` of the case or the roots.
    private func issuers(
        of leaf: X509Certificate?, _ anchor: X509Certificate?
    ) -> (X509Certificate?, X509Certificate?) {
        let pool = files.folder.issuers + own
        let wanted = files.one.inputs["intermediate"]?.string ?? leaf?.issuerCommonName
        let intermediate = pool.first { $0.subjectCommonName == wanted }
        let root =
            anchor
            ?? intermediate.flatMap { middle in
                pool.first { $0.subjectCommonName == middle.issuerCommonName }
            }
        return (intermediate, root)
    }

    /// Issuers that the entry brings itself.
    private var own: [X509Certificate] {
        let roles = ["ask-der", "asvk-der", "ark-der", "issuer-certificate"]
        return roles.flatMap(files.entry.paths).compactMap { path in
            guard let bytes = try? files.folder.read(path) else { return nil }
            return try? X509Certificate(derOrPEM: bytes)
        }
    }

    private func anchors(_ given: X509Certificate?) -> [TrustAnchor] {
        guard let given else { return TrustAnchor.amd }
        return SNPProduct.allCases.filter { given.subjectCommonName == "ARK-\($0.rawValue)" }
            .map { product in
                TrustAnchor(
                    name: "given", product: product, keyDigest: given.subjectPublicKeyInfoDigest)
            }
    }

    private func rules(for claims: Claims) throws(VectorFault) -> CasePolicy {
        var policy = CasePolicy(checks: [.debug])
        policy.rules.allowsDebug = files.one.flag("allow_debug")
        if let level = files.one.policy["vmpl"]?.integer {
            guard let level = UInt8(exactly: level), level <= 3 else {
                throw VectorFault("policy.vmpl: expected 0 to 3")
            }
            policy.rules.vmpl = level
            policy.checks.insert(.vmpl)
        }
        if files.one.flag("require_vcek") {
            policy.rules.signingKeys = [.vcek]
            policy.checks.insert(.signingKey)
        }
        if let digest: FixedBytes<48> = try files.one.pinned("measurement") {
            policy.rules.measurements = [
                ReferenceMeasurement(
                    label: "given", value: digest, covers: Set(Coverage.allCases))
            ]
            policy.checks.insert(.measurement)
        }
        if let minimum = files.one.policy["minimum_tcb"], let product = claims.snp?.product {
            policy.rules.minimumTCB[product] = try components(minimum, of: product)
            policy.checks.insert(.minimumTCB)
        }
        return policy
    }

    private func components(
        _ minimum: JSONValue, of product: SNPProduct
    ) throws(VectorFault) -> [TCBComponent: UInt8] {
        var values: [TCBComponent: UInt8] = [:]
        for component in product.components { values[component] = 0 }
        for member in minimum.members ?? [] {
            guard let component = TCBComponent(rawValue: member.name),
                product.components.contains(component),
                let value = member.value.integer.flatMap(UInt8.init(exactly:))
            else { throw VectorFault("policy.minimum_tcb.\(member.name): unusable") }
            values[component] = value
        }
        return values
    }
}
