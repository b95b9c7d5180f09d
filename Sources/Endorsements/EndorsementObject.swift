public import Bytes
public import Evidence

/// What a vendor publishes about its processors, one document of it: what a verifier needs beside evidence.
public enum EndorsementObject: Hashable, Sendable {
    /// The certificate of one chip's key at one set of firmware versions; `hwID` has 64 bytes, on
    /// Turin 8.
    case vcek(hwID: [UInt8], TCBVersion)
    /// ASK and ARK, or ASVK and ARK, of a processor line.
    case amdIssuers(AMDLeaf, SNPProduct)
    /// What the ARK of a processor line has revoked.
    case amdRevocations(SNPProduct)
    /// Which firmware of a TDX platform is how good.
    case tdxTCBInfo(fmspc: FixedBytes<6>)
    /// Which quoting enclave for TDX is how good.
    case tdxQEIdentity
    /// What the authority of a platform's PCK certificate has revoked.
    case pckRevocations(PCKAuthority)
    /// What Intel's root has revoked.
    case intelRootRevocations

    /// The two kinds of key that sign SNP reports.
    public enum AMDLeaf: String, Sendable, Hashable, CaseIterable {
        /// A chip's own.
        case vcek
        /// Lent to a cloud provider.
        case vlek
    }

    /// The two authorities that certify the keys of Intel's platforms.
    public enum PCKAuthority: String, Sendable, Hashable, CaseIterable {
        /// For platforms of several packages.
        case platform
        /// For platforms of one package.
        case processor
    }

    /// Whose service publishes a document.
    public enum Vendor: String, Sendable, Hashable, CaseIterable {
        /// The Key Distribution Service of AMD.
        case amd
        /// The Provisioning Certification Service of Intel.
        case intel
    }

    /// Whose service publishes it.
    public var vendor: Vendor {
        switch self {
        case .vcek, .amdIssuers, .amdRevocations: .amd
        case .tdxTCBInfo, .tdxQEIdentity, .pckRevocations, .intelRootRevocations: .intel
        }
    }

    /// The certificate of the key that signs the reports of a chip; nil where the host hides CHIP_ID.
    ///
    /// - Parameter chipID: CHIP_ID as the report has it.
    public static func vcek(chipID: FixedBytes<64>, tcb: TCBVersion) -> EndorsementObject? {
        guard !chipID.isZero else { return nil }
        return .vcek(hwID: Array(chipID.bytes.prefix(hwIDCount(tcb.product))), tcb)
    }

    static func hwIDCount(_ product: SNPProduct) -> Int { product == .turin ? 8 : 64 }
}

extension EndorsementObject: LosslessStringConvertible {
    /// Reads a ``description``.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
            .map(String.init)
        let product = parts.count > 1 ? SNPProduct(rawValue: parts[1]) : nil
        switch (parts[0], parts.count, product) {
        case ("vcek", 4, .some(let product)):
            guard let hwID = Hex.decode(parts[2]), hwID.count == Self.hwIDCount(product),
                let tcb = TCBVersion(fileName: parts[3], product: product)
            else { return nil }
            self = .vcek(hwID: hwID, tcb)
        case ("issuers", 3, .some(let product)):
            guard let leaf = AMDLeaf(rawValue: parts[2]) else { return nil }
            self = .amdIssuers(leaf, product)
        case ("crl", 2, .some(let product)): self = .amdRevocations(product)
        case ("tcb-info", 2, _):
            guard let fmspc = FixedBytes<6>(hex: parts[1]) else { return nil }
            self = .tdxTCBInfo(fmspc: fmspc)
        case ("qe-identity", 1, _): self = .tdxQEIdentity
        case ("pck-crl", 2, _):
            guard let authority = PCKAuthority(rawValue: parts[1]) else { return nil }
            self = .pckRevocations(authority)
        case ("intel-root-crl", 1, _): self = .intelRootRevocations
        default: return nil
        }
        // One object, one name: neither upper case nor padding makes a second.
        guard self.description == description else { return nil }
    }

    /// A name that is the same everywhere, such as `vcek/Genoa/c4…c4/bl10_tee00_snp23_ucode84`.
    public var description: String {
        switch self {
        case .vcek(let hwID, let tcb):
            "vcek/\(tcb.product.rawValue)/\(Hex.encode(hwID))/\(tcb.fileName)"
        case .amdIssuers(let leaf, let product): "issuers/\(product.rawValue)/\(leaf.rawValue)"
        case .amdRevocations(let product): "crl/\(product.rawValue)"
        case .tdxTCBInfo(let fmspc): "tcb-info/\(fmspc.hex)"
        case .tdxQEIdentity: "qe-identity"
        case .pckRevocations(let authority): "pck-crl/\(authority.rawValue)"
        case .intelRootRevocations: "intel-root-crl"
        }
    }

    /// What it is in an owner's words, such as `TCB info of FMSPC 50806f000000`.
    public var title: String {
        switch self {
        case .vcek(let hwID, let tcb):
            "VCEK of chip \(Hex.encode(hwID.prefix(8))) (\(tcb.product.rawValue)) with \(tcb)"
        case .amdIssuers(.vcek, let product): "ASK and ARK of \(product.rawValue)"
        case .amdIssuers(.vlek, let product): "ASVK and ARK of \(product.rawValue)"
        case .amdRevocations(let product): "revocation list of \(product.rawValue)"
        case .tdxTCBInfo(let fmspc): "TCB info of FMSPC \(fmspc.hex)"
        case .tdxQEIdentity: "identity of the TD quoting enclave"
        case .pckRevocations(let authority): "revocation list of the PCK \(authority.rawValue) CA"
        case .intelRootRevocations: "revocation list of Intel's root"
        }
    }
}

extension EndorsementObject {
    /// Where it lies below the directory of endorsements.
    var path: [String] {
        switch self {
        case .vcek(let hwID, let tcb): ["vcek", Hex.encode(hwID), "\(tcb.fileName).der"]
        case .amdIssuers(let leaf, let product):
            [product.rawValue, "\(leaf.rawValue)_issuers.pem"]
        case .amdRevocations(let product): [product.rawValue, "crl.der"]
        case .tdxTCBInfo(let fmspc): ["intel", "tdx", fmspc.hex, "tcb_info.json"]
        case .tdxQEIdentity: ["intel", "tdx", "qe_identity.json"]
        case .pckRevocations(let authority): ["intel", "pck_crl_\(authority.rawValue).der"]
        case .intelRootRevocations: ["intel", "root_ca_crl.der"]
        }
    }

    /// The longest document that is taken, in bytes.
    var limit: Int {
        switch self {
        case .vcek: 16 << 10
        case .amdIssuers: 64 << 10
        case .amdRevocations, .pckRevocations, .intelRootRevocations: 1 << 20
        case .tdxTCBInfo, .tdxQEIdentity: 256 << 10
        }
    }

    /// The header of the answer that has the issuers of the document, URL-encoded; nil where none has.
    var issuersHeader: String? {
        switch self {
        case .tdxTCBInfo: "tcb-info-issuer-chain"
        case .tdxQEIdentity: "sgx-enclave-identity-issuer-chain"
        case .pckRevocations: "sgx-pck-crl-issuer-chain"
        case .vcek, .amdIssuers, .amdRevocations, .intelRootRevocations: nil
        }
    }
}

extension TCBVersion {
    private static let prefixes: [(component: TCBComponent, prefix: String)] = [
        (.bootloader, "bl"), (.tee, "tee"), (.snp, "snp"), (.microcode, "ucode"), (.fmc, "fmc"),
    ]

    /// `bl04_tee00_snp24_ucode219`, and `_fmc01` where the product has one.
    var fileName: String {
        Self.prefixes.compactMap { component, prefix in
            self[component].map { $0 < 10 ? "\(prefix)0\($0)" : "\(prefix)\($0)" }
        }
        .joined(separator: "_")
    }

    /// Reads a ``fileName``.
    init?(fileName: String, product: SNPProduct) {
        let parts = fileName.split(separator: "_")
        let expected = Self.prefixes.filter { product.components.contains($0.component) }
        guard parts.count == expected.count else { return nil }
        var values: [TCBComponent: UInt8] = [:]
        for (part, (component, prefix)) in zip(parts, expected) {
            guard part.hasPrefix(prefix), let value = UInt8(part.dropFirst(prefix.count)) else {
                return nil
            }
            values[component] = value
        }
        self.init(components: values, product: product)
        guard self.fileName == fileName else { return nil }
    }

    /// The version whose parts are these; a part that the line does not have is left out.
    init(components: [TCBComponent: UInt8], product: SNPProduct) {
        // Evidence keeps the places of the parts to itself; each place is found by its value.
        var raw = FixedBytes<8>()
        for index in 0..<8 {
            var probe = FixedBytes<8>()
            probe[index] = 1
            let part = TCBVersion(raw: probe, product: product).components.first { $0.value == 1 }
            if let part { raw[index] = components[part.component] ?? 0 }
        }
        self.init(raw: raw, product: product)
    }
}
