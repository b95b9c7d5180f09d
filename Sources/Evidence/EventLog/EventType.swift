/// What an event of a TCG log stands for.
///
/// Names and numbers: TCG PC Client Platform Firmware Profile 1.06, section 10.4.1, "Event Types".
public struct EventType: RawRepresentable, Sendable, Hashable {
    /// The number in the log.
    public let rawValue: UInt32

    /// Takes any number; ``isKnown`` tells the profile's own.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Tells a reader something and extends nothing.
    public static let noAction = EventType(rawValue: 0x03)
    /// Ends what the firmware itself measured into a register.
    public static let separator = EventType(rawValue: 0x04)
    /// A structure with a number of its own in front.
    public static let eventTag = EventType(rawValue: 0x06)
    /// Whatever a boot loader or stub measures.
    public static let ipl = EventType(rawValue: 0x0d)
    /// Booting without a record of the attempts before.
    public static let omitBootDeviceEvents = EventType(rawValue: 0x12)
    /// A variable that configures Secure Boot.
    public static let variableDriverConfig = EventType(rawValue: 0x8000_0001)
    /// A variable that says what to boot.
    public static let variableBoot = EventType(rawValue: 0x8000_0002)
    /// A program that firmware started to boot from it.
    public static let bootServicesApplication = EventType(rawValue: 0x8000_0003)
    /// A driver that lives until the system takes over.
    public static let bootServicesDriver = EventType(rawValue: 0x8000_0004)
    /// A driver that stays.
    public static let runtimeServicesDriver = EventType(rawValue: 0x8000_0005)
    /// The partition table that was booted from.
    public static let gptEvent = EventType(rawValue: 0x8000_0006)
    /// A step of the firmware, as text.
    public static let efiAction = EventType(rawValue: 0x8000_0007)
    /// What a loaded image was accepted for.
    public static let variableAuthority = EventType(rawValue: 0x8000_00e0)

    /// Whether the profile names it.
    public var isKnown: Bool { Self.names[rawValue] != nil }

    private static let names: [UInt32: String] = [
        0x00: "EV_PREBOOT_CERT", 0x01: "EV_POST_CODE", 0x03: "EV_NO_ACTION",
        0x04: "EV_SEPARATOR", 0x05: "EV_ACTION", 0x06: "EV_EVENT_TAG",
        0x07: "EV_S_CRTM_CONTENTS", 0x08: "EV_S_CRTM_VERSION", 0x09: "EV_CPU_MICROCODE",
        0x0a: "EV_PLATFORM_CONFIG_FLAGS", 0x0b: "EV_TABLE_OF_DEVICES",
        0x0c: "EV_COMPACT_HASH", 0x0d: "EV_IPL", 0x0e: "EV_IPL_PARTITION_DATA",
        0x0f: "EV_NONHOST_CODE", 0x10: "EV_NONHOST_CONFIG", 0x11: "EV_NONHOST_INFO",
        0x12: "EV_OMIT_BOOT_DEVICE_EVENTS", 0x13: "EV_POST_CODE2",
        0x8000_0001: "EV_EFI_VARIABLE_DRIVER_CONFIG", 0x8000_0002: "EV_EFI_VARIABLE_BOOT",
        0x8000_0003: "EV_EFI_BOOT_SERVICES_APPLICATION",
        0x8000_0004: "EV_EFI_BOOT_SERVICES_DRIVER",
        0x8000_0005: "EV_EFI_RUNTIME_SERVICES_DRIVER", 0x8000_0006: "EV_EFI_GPT_EVENT",
        0x8000_0007: "EV_EFI_ACTION", 0x8000_0008: "EV_EFI_PLATFORM_FIRMWARE_BLOB",
        0x8000_0009: "EV_EFI_HANDOFF_TABLES", 0x8000_000a: "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
        0x8000_000b: "EV_EFI_HANDOFF_TABLES2", 0x8000_000c: "EV_EFI_VARIABLE_BOOT2",
        0x8000_000d: "EV_EFI_GPT_EVENT2", 0x8000_0010: "EV_EFI_HCRTM_EVENT",
        0x8000_00e0: "EV_EFI_VARIABLE_AUTHORITY",
        0x8000_00e1: "EV_EFI_SPDM_FIRMWARE_BLOB", 0x8000_00e2: "EV_EFI_SPDM_FIRMWARE_CONFIG",
        0x8000_00e3: "EV_EFI_SPDM_DEVICE_POLICY", 0x8000_00e4: "EV_EFI_SPDM_DEVICE_AUTHORITY",
    ]
}

extension EventType: CustomStringConvertible {
    /// The profile's name, or the number in hexadecimal digits.
    public var description: String {
        Self.names[rawValue] ?? "0x" + String(rawValue, radix: 16)
    }
}
