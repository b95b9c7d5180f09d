/// A processor as QEMU shows it to the guest: CPUID Fn0000_0001_EAX.
public struct ProcessorType: Sendable, Hashable {
    /// Family, model and stepping as CPUID packs them (AMD publication 25481).
    public let signature: UInt32

    /// Takes CPUID's value.
    public init(signature: UInt32) {
        self.signature = signature
    }

    /// Packs family, model (both with their extended parts added) and stepping; nil for numbers that
    /// CPUID cannot hold.
    public init?(family: Int, model: Int, stepping: Int) {
        guard (0...0x10e).contains(family), (0...0xff).contains(model),
            (0...0xf).contains(stepping)
        else { return nil }
        let base = UInt32(min(family, 0xf))
        let extended = UInt32(family) - base
        let (high, low) = (UInt32(model >> 4), UInt32(model & 0xf))
        signature = extended << 20 | high << 16 | base << 8 | low << 4 | UInt32(stepping)
    }

    /// A model of QEMU's `-cpu`, such as `EPYC-Milan` or `EPYC-v4`. Versions of a model differ in
    /// features, never in the signature, so any `-vN` is taken.
    public init?(name: String) {
        guard let model = Self.models.first(where: { Self.isVersion(name, of: $0.name) }) else {
            return nil
        }
        signature = model.signature
    }

    /// QEMU's models of processors that can run SNP guests or imitate one that can.
    public static let names = models.map(\.name)

    /// A name for each signature that has one.
    public var name: String? { Self.models.first { $0.signature == signature }?.name }

    /// Source: QEMU, `builtin_x86_defs` in `target/i386/cpu.c`.
    private static let models: [(name: String, signature: UInt32)] = [
        ("EPYC", 0x0080_0f12), ("EPYC-IBPB", 0x0080_0f12), ("EPYC-Rome", 0x0083_0f10),
        ("EPYC-Milan", 0x00a0_0f11), ("EPYC-Genoa", 0x00a1_0f10), ("EPYC-Turin", 0x00b0_0f00),
    ]

    private static func isVersion(_ name: String, of model: String) -> Bool {
        guard name != model else { return true }
        let version = name.dropFirst(model.count)
        return name.hasPrefix(model) && version.hasPrefix("-v") && (3...4).contains(version.count)
            && version.dropFirst(2).allSatisfy { $0.isASCII && $0.isNumber }
    }
}
