/// The sections that systemd-stub knows, in the order in which it measures them into PCR 11.
///
/// Source: UAPI.5, Unified Kernel Image; systemd 257, `src/fundamental/uki.h`.
public enum UKISection: String, Sendable, Hashable, CaseIterable {
    /// The kernel.
    case linux = ".linux"
    /// os-release.
    case osrel = ".osrel"
    /// The kernel's command line.
    case cmdline = ".cmdline"
    /// The initramfs.
    case initrd = ".initrd"
    /// Microcode updates, an initrd of their own.
    case ucode = ".ucode"
    /// A picture.
    case splash = ".splash"
    /// A device tree.
    case dtb = ".dtb"
    /// The kernel's release.
    case uname = ".uname"
    /// Revocation data.
    case sbat = ".sbat"
    /// Signatures of the expected PCR 11; the only one that is not measured.
    case pcrsig = ".pcrsig"
    /// The key of those signatures.
    case pcrpkey = ".pcrpkey"
    /// A profile's name.
    case profile = ".profile"
    /// A device tree that the stub chooses by the machine.
    case dtbauto = ".dtbauto"
    /// Names of machines.
    case hwids = ".hwids"
}
