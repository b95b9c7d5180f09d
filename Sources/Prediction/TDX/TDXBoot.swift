/// What a TD boots behind its firmware, as far as it is known.
public struct TDXBoot: Sendable, Equatable {
    /// PE images in the order in which firmware loads them; none: as in the log.
    public var images: [[UInt8]] = []
    /// The unified kernel image that is booted instead, with nothing beside it.
    public var unifiedImage: [UInt8]?
    /// The command line that QEMU's `-append` gives; nil: as in the log.
    public var commandLine: String?
    /// The initramfs that QEMU's `-initrd` gives; nil: as in the log.
    public var initrd: [UInt8]?
    /// What the host measured as ACPI data, in order: `etc/table-loader`, `etc/acpi/rsdp` and
    /// `etc/acpi/tables` of QEMU; none: as in the log.
    public var acpi: [[UInt8]] = []
    /// The list of hand-off blocks that the host wrote; nil: as in the log.
    public var handOff: [UInt8]?

    /// Everything as in the log.
    public init() {}

    /// Whether everything behind the firmware is left to the log.
    var isEmpty: Bool {
        images.isEmpty && unifiedImage == nil && commandLine == nil && initrd == nil && acpi.isEmpty
            && handOff == nil
    }
}
