/// A processor line with a root key of its own, by the name that AMD's key service uses.
public enum SNPProduct: String, Sendable, Hashable, CaseIterable, Codable {
    /// EPYC 7003.
    case milan = "Milan"
    /// EPYC 9004, 8004 and 4004: Genoa, Bergamo, Siena.
    case genoa = "Genoa"
    /// EPYC 9005.
    case turin = "Turin"

    /// The line of a processor by its CPUID family and model, both with the extended parts added.
    public init?(family: UInt8, model: UInt8) {
        switch (family, model) {
        case (0x19, 0x00...0x0f): self = .milan
        case (0x19, 0x10...0x1f), (0x19, 0xa0...0xaf): self = .genoa
        case (0x1a, 0x00...0x11): self = .turin
        default: return nil
        }
    }
}

/// A part of the firmware with a security version of its own.
public enum TCBComponent: String, Sendable, Hashable, CaseIterable, Codable {
    /// Turin's first mutable code.
    case fmc
    /// The boot loader of the secure processor.
    case bootloader
    /// The operating system of the secure processor.
    case tee
    /// The SNP firmware.
    case snp
    /// The lowest microcode patch level of all cores.
    case microcode
}

extension SNPProduct {
    /// The parts that this line's TCB_VERSION names, each with its byte.
    var layout: [(component: TCBComponent, index: Int)] {
        switch self {
        case .milan, .genoa: [(.bootloader, 0), (.tee, 1), (.snp, 6), (.microcode, 7)]
        case .turin: [(.fmc, 0), (.bootloader, 1), (.tee, 2), (.snp, 3), (.microcode, 7)]
        }
    }

    /// The parts that this line's firmware has a version of.
    public var components: [TCBComponent] { layout.map(\.component) }
}
