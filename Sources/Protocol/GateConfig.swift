public import Bytes

/// A VM's attested configuration: who it is and which brokers it may trust. Nothing in it is secret.
public struct GateConfig: Equatable, Sendable {
    /// The largest file, in bytes.
    public static let maximumLength = 8192

    /// Where the CPU vouches for the digest of the file.
    public enum Anchor: String, Sendable, CaseIterable {
        /// SNP's HOST_DATA.
        case hostData = "host-data"
        /// TDX's MRCONFIGID.
        case mrconfigid
        /// The file is part of the measured image.
        case measuredImage = "measured-image"
    }

    /// What the agent does when the gate stays shut.
    public enum FailureAction: String, Sendable, CaseIterable {
        /// Try again, endlessly, with back-off.
        case retry
        /// Power off.
        case poweroff
        /// Reboot.
        case reboot
    }

    /// The enrolled name of the VM.
    public let vm: VMIdentifier
    /// 1 to 16 brokers, in order of preference.
    public let brokers: [BrokerAddress]
    /// SHA-256 of the DER SubjectPublicKeyInfo of each acceptable broker key; 1 to 8.
    public let pins: [FixedBytes<32>]
    /// UUID of the root disk's LUKS2 header, in lower case.
    public let device: String
    /// The name of the device-mapper node to make.
    public let name: String
    /// The key to ask for.
    public let keyName: KeyName
    /// The only cipher that the header may name.
    public let cipher: String
    /// The only size of the volume key, in bits.
    public let keyBits: Int
    /// Where the CPU vouches for the digest of this file.
    public let anchor: Anchor
    /// Whether the evidence carries a quote of this machine's TPM beside the report.
    public let tpmQuote: Bool
    /// When no broker answers.
    public let onUnreachable: FailureAction
    /// When a broker refuses.
    public let onRefused: FailureAction
    /// When the released key does not open the disk.
    public let onOpenFailure: FailureAction

    /// Judges counts, duplicates and spellings as parsing does.
    public init(
        vm: VMIdentifier, brokers: [BrokerAddress], pins: [FixedBytes<32>], device: String,
        name: String = "root", keyName: KeyName = .disk, cipher: String = "aes-xts-plain64",
        keyBits: Int = 512, anchor: Anchor, tpmQuote: Bool = false,
        onUnreachable: FailureAction = .retry, onRefused: FailureAction = .poweroff,
        onOpenFailure: FailureAction = .poweroff
    ) throws(GateConfigError) {
        self.vm = vm
        self.brokers = brokers
        self.pins = pins
        self.device = device
        self.name = name
        self.keyName = keyName
        self.cipher = cipher
        self.keyBits = keyBits
        self.anchor = anchor
        self.tpmQuote = tpmQuote
        self.onUnreachable = onUnreachable
        self.onRefused = onRefused
        self.onOpenFailure = onOpenFailure
        // One set of rules: what was given has to survive its own text.
        guard try GateConfig(parsing: serialized()) == self else {
            throw GateConfigError(expected: "values that fit in lines", actual: "others")
        }
    }

    /// Parses one whole file.
    public init(parsing bytes: [UInt8]) throws(GateConfigError) {
        var fields = try GateConfigFields(bytes)
        vm = try fields.one("vm", expected: "[a-z0-9][a-z0-9.-]{0,63}", VMIdentifier.init)
        brokers = try fields.many(
            "broker", atMost: 16, expected: "host, host:port or [IPv6]:port", BrokerAddress.init)
        pins = try fields.many(
            "pin", atMost: 8, expected: "sha256: and 64 lower-case hexadecimal digits",
            GateConfigValue.pin)
        device = try fields.one(
            "device", expected: "UUID= and a lower-case UUID", GateConfigValue.uuid)
        name = try fields.one(
            "name", default: "root", expected: "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
            GateConfigValue.mappingName)
        keyName = try fields.one(
            "key_name", default: .disk, expected: "[a-z0-9][a-z0-9._-]{0,31}", KeyName.init)
        cipher = try fields.one(
            "cipher", default: "aes-xts-plain64", expected: "a LUKS2 cipher that encrypts",
            GateConfigValue.cipher)
        keyBits = try fields.one(
            "key_bits", default: 512, expected: "128, 256, 384 or 512", GateConfigValue.keyBits)
        anchor = try fields.one(
            "anchor", expected: GateConfigValue.choices(Anchor.self), Anchor.init(rawValue:))
        tpmQuote = try fields.one(
            "tpm_quote", default: false, expected: "no, yes", GateConfigValue.flag)
        onUnreachable = try fields.action("on_unreachable", default: .retry)
        onRefused = try fields.action("on_refused", default: .poweroff)
        onOpenFailure = try fields.action("on_open_failure", default: .poweroff)
        try fields.finish()
    }

    /// The file, every key spelt out; its SHA-256 is the config digest.
    public func serialized() -> [UInt8] {
        var lines = ["vm = \(vm)"]
        lines += brokers.map { "broker = \($0)" }
        lines += pins.map { "pin = sha256:\($0.hex)" }
        lines += [
            "device = UUID=\(device)",
            "name = \(name)",
            "key_name = \(keyName)",
            "cipher = \(cipher)",
            "key_bits = \(keyBits)",
            "anchor = \(anchor.rawValue)",
            "tpm_quote = \(tpmQuote ? "yes" : "no")",
            "on_unreachable = \(onUnreachable.rawValue)",
            "on_refused = \(onRefused.rawValue)",
            "on_open_failure = \(onOpenFailure.rawValue)",
        ]
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }
}
