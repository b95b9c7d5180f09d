/// A file beside the image that systemd-stub picks up.
public struct StubFile: Sendable, Equatable {
    /// Without folders; counts, as it goes into archives and decides the order.
    public let name: String
    /// The whole file.
    public let bytes: [UInt8]

    /// Takes a file.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// What a unified kernel image is booted with, besides what is in it.
public struct UKIBoot: Sendable, Equatable {
    /// PE images that the firmware started before, in order: shim, a boot loader.
    public var loaders: [[UInt8]] = []
    /// What the loader passes as load options; nil for nothing.
    public var commandLine: String?
    /// Whether Secure Boot is on, which makes the stub ignore ``commandLine`` in a confidential VM.
    public var isSecureBoot = false
    /// The profile's number.
    public var profile = 0
    /// `\loader\addons\*.addon.efi` of the ESP.
    public var globalAddons: [StubFile] = []
    /// `*.addon.efi` of the image's own folder, `NAME.efi.extra.d`.
    public var addons: [StubFile] = []
    /// `*.cred` of the image's own folder.
    public var credentials: [StubFile] = []
    /// `\loader\credentials\*.cred` of the ESP.
    public var globalCredentials: [StubFile] = []
    /// `*.raw` of the image's own folder that are no configuration extensions.
    public var systemExtensions: [StubFile] = []
    /// `*.confext.raw` of the image's own folder.
    public var configurationExtensions: [StubFile] = []

    /// The image alone.
    public init() {}
}
