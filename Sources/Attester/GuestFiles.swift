/// Where Linux has what evidence is made of. Each is part of the kernel's documented ABI.
enum GuestFiles {
    /// Documentation/virt/coco/sev-guest.rst, Linux 5.19.
    static let sevGuest = "/dev/sev-guest"
    /// Documentation/ABI/testing/sysfs-devices-system-cpu, Linux 6.11: the VMPL that the guest runs at.
    static let sevPrivilege = "/sys/devices/system/cpu/sev/vmpl"
    /// Documentation/virt/coco/tdx-guest.rst, Linux 6.2.
    static let tdxGuest = "/dev/tdx_guest"
    /// Documentation/ABI/testing/sysfs-devices-virtual-misc-tdx_guest, Linux 6.16: 48 bytes; a write
    /// extends.
    static let rtmr3 = "/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384"
    /// The log that ACPI's table CCEL points to.
    static let ccelLog = "/sys/firmware/acpi/tables/data/CCEL"
    /// The TPM behind the kernel's resource manager.
    static let tpm = "/dev/tpmrm0"
    /// The TPM's log, as the firmware left it.
    static let tpmLog = "/sys/kernel/security/tpm0/binary_bios_measurements"
    /// DMI's chassis asset tag, which the host writes: a hint where to look, never a proof.
    static let chassisTag = "/sys/class/dmi/id/chassis_asset_tag"
}

extension Kernel {
    /// The whole of a log; nil where the kernel has none.
    func log(_ path: String, atMost limit: Int) throws(AttesterError) -> [UInt8]? {
        guard exists(path) else { return nil }
        do {
            let bytes = try read(path, atMost: limit)
            return bytes.isEmpty ? nil : bytes
        } catch {
            throw AttesterError(error)
        }
    }
}
