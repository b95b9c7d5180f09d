import Bytes
import Evidence
import Linux

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
        guard
            let stem = ["_vcek.der", "_vcek.pem", ".der", ".pem"].first(where: file.hasSuffix)
                .map({ String(file.dropLast($0.count)) })
        else { return nil }
        let candidates = EndorsementObject.candidates(at: ["vcek", chip, stem + ".der"])
        return candidates.count < 2 ? candidates.first : candidates.first { contains($0) }
    }

    private func names(_ folder: String) -> [String] {
        (try? File.names(in: "\(path)/\(folder)")) ?? []
    }
}

extension EndorsementObject {
    /// The documents that may lie at a place: none for most places, and two where Milan and Genoa share
    /// the names of their files.
    static func candidates(at path: [String]) -> [EndorsementObject] {
        var all: [EndorsementObject] = [.tdxQEIdentity, .intelRootRevocations]
        all += PCKAuthority.allCases.map { .pckRevocations($0) }
        for product in SNPProduct.allCases {
            all.append(.amdRevocations(product))
            all += AMDLeaf.allCases.map { .amdIssuers($0, product) }
        }
        if path.count == 3, path[0] == "vcek", let hwID = Hex.decode(path[1]) {
            let stem = String(path[2].dropLast(".der".count))
            all += SNPProduct.allCases.compactMap { product in
                hwID.count == hwIDCount(product)
                    ? TCBVersion(fileName: stem, product: product).map { .vcek(hwID: hwID, $0) }
                    : nil
            }
        }
        if path.count == 4, let fmspc = FixedBytes<6>(hex: path[2]) {
            all.append(.tdxTCBInfo(fmspc: fmspc))
        }
        return all.filter { $0.path == path }
    }
}
