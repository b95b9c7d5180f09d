import Bytes
import Evidence
import Linux
import OpenSSL

extension EndorsementCache {
    /// How many chips are listed at most.
    static let chipLimit = 100_000

    /// Every document that is there, in the order of its name.
    public func entries() -> [Entry] { objects().compactMap { entry($0) } }

    /// What the names in the directory stand for; the documents may still be something else.
    func objects() -> [EndorsementObject] {
        var found: Set<EndorsementObject> = [.tdxQEIdentity, .intelRootRevocations]
        for authority in EndorsementObject.PCKAuthority.allCases {
            found.insert(.pckRevocations(authority))
        }
        for product in SNPProduct.allCases {
            found.insert(.amdRevocations(product))
            for leaf in EndorsementObject.AMDLeaf.allCases {
                found.insert(.amdIssuers(leaf, product))
            }
        }
        for name in names("intel/tdx") {
            if let fmspc = FixedBytes<6>(hex: name), fmspc.hex == name {
                found.insert(.tdxTCBInfo(fmspc: fmspc))
            }
        }
        for chip in names("vcek").prefix(Self.chipLimit) {
            for file in names("vcek/\(chip)") {
                if let object = vcek(chip, file) { found.insert(object) }
            }
        }
        return found.sorted { $0.description < $1.description }
    }

    /// A file's name does not say whether it is Milan's or Genoa's; the certificate does.
    private func vcek(_ chip: String, _ file: String) -> EndorsementObject? {
        guard let hwID = Hex.decode(chip), Hex.encode(hwID) == chip,
            let stem = ["_vcek.der", "_vcek.pem", ".der", ".pem"].first(where: file.hasSuffix)
                .map({ String(file.dropLast($0.count)) })
        else { return nil }
        let candidates = SNPProduct.allCases.compactMap { product in
            hwID.count == EndorsementObject.hwIDCount(product)
                ? TCBVersion(fileName: stem, product: product) : nil
        }
        if candidates.count < 2 { return candidates.first.map { .vcek(hwID: hwID, $0) } }
        guard let bytes = try? directory.read(["vcek", chip, file], atMost: 16 << 10),
            let der = PEM.certificate(bytes), let certificate = try? X509Certificate(der: der),
            let tcb = candidates.first(where: {
                certificate.issuerCommonName == "SEV-\($0.product.rawValue)"
            })
        else { return nil }
        return .vcek(hwID: hwID, tcb)
    }

    private func names(_ folder: String) -> [String] {
        (try? File.names(in: "\(path)/\(folder)")) ?? []
    }
}
