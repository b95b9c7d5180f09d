public import Bytes

/// What a boot of an image that the owner knows looks like to the processor.
public struct ReferenceMeasurement: Sendable, Equatable {
    /// What the owner calls it.
    public var label: String
    /// The values.
    public var registers: MeasuredRegisters
    /// What would change them.
    public var covers: Set<Coverage>

    /// Takes everything as given.
    public init(label: String, registers: MeasuredRegisters, covers: Set<Coverage>) {
        self.label = label
        self.registers = registers
        self.covers = covers
    }

    /// A launch digest of SNP.
    public init(label: String, value: FixedBytes<48>, covers: Set<Coverage>) {
        self.init(label: label, registers: .launchDigest(value), covers: covers)
    }
}

/// Where a processor keeps what it measured.
public enum MeasuredRegisters: Sendable, Hashable {
    /// MEASUREMENT of SNP.
    case launchDigest(FixedBytes<48>)
    /// MRTD of TDX and those of RTMR0 to RTMR2 that are listed, by number.
    case td(mrTD: FixedBytes<48>, rtmr: [Int: FixedBytes<48>])

    /// That of SNP; nil for a TD's registers.
    public var launchDigest: FixedBytes<48>? {
        guard case .launchDigest(let digest) = self else { return nil }
        return digest
    }
}

extension MeasuredRegisters: CustomStringConvertible {
    /// In hexadecimal digits.
    public var description: String {
        switch self {
        case .launchDigest(let digest): digest.hex
        case .td(let mrTD, let rtmr):
            "MRTD \(mrTD.hex)"
                + rtmr.sorted { $0.key < $1.key }.map { ", RTMR\($0.key) \($0.value.hex)" }.joined()
        }
    }
}
