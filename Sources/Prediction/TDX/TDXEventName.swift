import Bytes
import Evidence

/// What an event of a TD's log stands for.
enum TDXEventName: Equatable {
    /// EV_EFI_HANDOFF_TABLES2 of the hand-off blocks.
    case handOff
    /// EV_EFI_PLATFORM_FIRMWARE_BLOB2: a firmware volume.
    case volume(address: UInt64, size: UInt64)
    /// EV_PLATFORM_CONFIG_FLAGS of QEMU's ACPI data.
    case acpi
    /// EV_EFI_BOOT_SERVICES_APPLICATION.
    case image
    /// EV_EVENT_TAG of the kernel for its load options.
    case commandLine
    /// EV_EVENT_TAG of the kernel for its initrd.
    case initrd
    /// EV_IPL, which the boot loader and systemd-stub write.
    case loader
    /// All others.
    case other(String)

    init(_ event: EventLog.Event) {
        let data = event.data
        switch event.type.rawValue {
        case 0x8000_000b where event.register == 1: self = .handOff
        case 0x8000_000a where data.count >= 16:
            self = .volume(
                address: Self.integer(data.suffix(16).prefix(8)),
                size: Self.integer(data.suffix(8)))
        case 0x0a where data == Array("ACPI DATA".utf8): self = .acpi
        case EventType.bootServicesApplication.rawValue: self = .image
        case EventType.eventTag.rawValue where data.count >= 4:
            switch Self.integer(data.prefix(4)) {
            case 0x8f3b_22ed: self = .commandLine
            case 0x8f3b_22ec: self = .initrd
            default: self = .other("\(event.type)")
            }
        case EventType.ipl.rawValue: self = .loader
        default: self = .other("\(event.type)")
        }
    }

    /// For a person.
    var text: String {
        switch self {
        case .handOff: "hand-off blocks"
        case .volume: "configuration volume"
        case .acpi: "ACPI data"
        case .image: "image (Authenticode)"
        case .commandLine: "command line"
        case .initrd: "initrd"
        case .loader: "EV_IPL"
        case .other(let text): text
        }
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
