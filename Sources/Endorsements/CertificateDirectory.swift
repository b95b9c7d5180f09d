import Bytes
public import Evidence
import Linux
import OpenSSL

/// Certificates and revocation lists for SNP reports, for hosts that hand out none or not all of them.
///
/// They are what the ``EndorsementCache`` in the same folder has, and what owners put there by hand, each
/// one certificate in DER or PEM of at most 64 KiB:
/// ```
/// vlek/<product>/bl04_tee00_snp24_ucode219.der
/// <product>/ask.der   <product>/asvk.der   <product>/ark.der      product: Milan, Genoa, Turin
/// ```
/// `.pem` in place of `.der` is looked for as well. Nothing that is found is believed: a verifier checks
/// it like a certificate from a host.
public struct CertificateDirectory: Sendable {
    /// What came of a search.
    public struct Completion: Sendable, Equatable {
        /// What the host gave, and what was found for the rest.
        public var certificates: SNPCertificates
        /// What neither has, without which no report of this key is authentic.
        public var missing: [Missing]
        /// What ought to be fetched: all that is missing, and revocation lists that are not there or
        /// no longer the last.
        public var wanted: [EndorsementObject]
    }

    /// A certificate that neither the host nor the folder has.
    public struct Missing: Sendable, Equatable {
        /// Which, where it was looked for, and for which chip and firmware.
        public let name: String
        /// The documents of AMD's that would have it, each of them; none for a certificate that AMD
        /// does not publish.
        public let objects: [EndorsementObject]
    }

    /// The largest file that is read, in bytes.
    public static let fileLimit = 64 << 10

    private let cache: EndorsementCache

    /// Names the folder. It is looked into at each search, so what is added counts at once.
    public init(_ path: String) {
        cache = EndorsementCache(path)
    }

    /// Looks into the same folder as `cache`.
    public init(_ cache: EndorsementCache) {
        self.cache = cache
    }

    /// Fills what `table` lacks for `report`; what the host gave is never replaced.
    ///
    /// - Parameter time: tells a revocation list that is no longer the last; seconds since 1970, UTC.
    public func complete(
        table: SNPCertificates, for report: SNPReport, at time: Int64
    ) -> Completion {
        var search = Search(Completion(certificates: table, missing: [], wanted: []), cache, time)
        guard report.signingKey != .none else { return search.completion }
        search.findEndorsementKey(of: report)
        if let product = search.issuingProduct(of: report) {
            search.findIssuers(of: report.signingKey == .vlek ? .vlek : .vcek, product)
            search.findRevocations(product)
        } else if table.intermediate == nil || table.root == nil {
            search.miss(
                "ASK and ARK: neither the report nor its certificate names a processor line", [])
        }
        return search.completion
    }
}

/// One search, as far as it got.
private struct Search {
    var completion: CertificateDirectory.Completion
    let cache: EndorsementCache
    let time: Int64

    init(
        _ completion: CertificateDirectory.Completion, _ cache: EndorsementCache, _ time: Int64
    ) {
        self.completion = completion
        self.cache = cache
        self.time = time
    }

    mutating func miss(_ name: String, _ objects: [EndorsementObject]) {
        completion.missing.append(.init(name: name, objects: objects))
        for object in objects where !completion.wanted.contains(object) {
            completion.wanted.append(object)
        }
    }

    mutating func findEndorsementKey(of report: SNPReport) {
        guard completion.certificates.endorsementKey == nil else { return }
        // A report without CPUID is of one of the older lines; those have one layout.
        let products = report.product.map { [$0] } ?? [.milan, .genoa]
        let tcb = TCBVersion(raw: report.reportedTCB, product: products[0])
        if report.signingKey == .vlek {
            let file = "\(tcb.fileName).der"
            completion.certificates.endorsementKey = find(
                "VLEK", ["vlek", products[0].rawValue, file],
                "for \(products[0].rawValue) with \(tcb)", [])
            return
        }
        let objects = products.compactMap {
            EndorsementObject.vcek(
                chipID: report.chipID, tcb: TCBVersion(raw: report.reportedTCB, product: $0))
        }
        guard let object = objects.first, case .vcek(let hwID, _) = object else {
            miss("VCEK: CHIP_ID is hidden by the host, so none can be looked for", [])
            return
        }
        completion.certificates.endorsementKey = find(
            "VCEK", object.path, "for chip \(Hex.encode(hwID)) with \(tcb)", objects)
    }

    mutating func findIssuers(of leaf: EndorsementObject.AMDLeaf, _ product: SNPProduct) {
        let given = completion.certificates
        guard given.intermediate == nil || given.root == nil else { return }
        let object = EndorsementObject.amdIssuers(leaf, product)
        let fetched =
            (cache.entry(object)?.body).flatMap { try? X509Certificate.certificates(pem: $0) } ?? []
        let name = leaf == .vlek ? "asvk" : "ask"
        if given.intermediate == nil {
            completion.certificates.intermediate =
                fetched.first?.der
                ?? find(
                    name.uppercased(), [product.rawValue, "\(name).der"],
                    "for \(product.rawValue)", [object])
        }
        if given.root == nil {
            completion.certificates.root =
                fetched.last?.der
                ?? find(
                    "ARK", [product.rawValue, "ark.der"], "for \(product.rawValue)", [object])
        }
    }

    mutating func findRevocations(_ product: SNPProduct) {
        let object = EndorsementObject.amdRevocations(product)
        let list = cache.entry(object)
        if let list { completion.certificates.revocationLists.append(list.body) }
        if list.map({ $0.expires < time }) ?? true { completion.wanted.append(object) }
    }

    /// The line whose issuers are wanted: by CPUID, or by the issuer's name in the leaf.
    ///
    /// The name is looked for as bytes. It only chooses which file is tried; a verifier compares the
    /// names properly.
    func issuingProduct(of report: SNPReport) -> SNPProduct? {
        if let product = report.product { return product }
        let leaf = completion.certificates.endorsementKey ?? []
        let prefix = report.signingKey == .vlek ? "SEV-VLEK-" : "SEV-"
        return SNPProduct.allCases.first { product in
            leaf.contains(Array((prefix + product.rawValue).utf8))
        }
    }

    /// One certificate in a file of that name, in PEM, or under Trustee's name.
    private mutating func find(
        _ kind: String, _ place: [String], _ subject: String, _ objects: [EndorsementObject]
    ) -> [UInt8]? {
        let stem = (place.last ?? "").dropLast(".der".count)
        var names = [".der", ".pem"].map { stem + $0 }
        if place.first == "vcek" { names += ["_vcek.der", "_vcek.pem"].map { stem + $0 } }
        for name in names {
            let file = Array(place.dropLast()) + [String(name)]
            let data: [UInt8]
            do throws(SystemError) {
                data = try cache.directory.read(file, atMost: CertificateDirectory.fileLimit)
            } catch  where error.isNotFound {
                continue
            } catch {
                miss("\(kind) \(subject): \(error)", objects)
                return nil
            }
            guard let certificate = PEM.certificate(data) else {
                let path = ([cache.path] + file).joined(separator: "/")
                miss("\(kind) \(subject): \(path) is no certificate in DER or PEM", objects)
                return nil
            }
            return certificate
        }
        let path = ([cache.path] + place).joined(separator: "/")
        miss("\(kind) \(subject): no \(path)", objects)
        return nil
    }
}
