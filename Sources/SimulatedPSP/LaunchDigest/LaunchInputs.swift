import Bytes

/// Everything that an SNP launch digest covers.
struct LaunchInputs {
    var firmware: FirmwareImage
    var vcpus: UInt32
    var vcpu = VCPUType.usual
    /// SEV_FEATURES of the guest: 1 for SNP alone, 0x21 with debug swap.
    var guestFeatures: UInt64 = 1
    var vmm = VMMType.qemu
    /// What the firmware starts, where its hashes are measured (QEMU's `kernel-hashes=on`).
    var boot: DirectBoot?

    /// MEASUREMENT of a launch of these.
    func measurement(hashing: some Hashing) throws(PSPFault) -> FixedBytes<48> {
        if boot != nil, !firmware.sections.contains(where: { $0.kind == .kernelHashes }) {
            throw .unusable(
                "firmware: it has no section for kernel hashes, so that a launch with it covers no "
                    + "kernel; `bootgate-psp firmware` adds one")
        }
        var digest = LaunchDigest(hashing: hashing)
        digest.add(contents: firmware.bytes, at: firmware.address)
        for section in firmware.sections where vmm != .ec2 || section.kind != .cpuid {
            try add(section, to: &digest, hashing)
        }
        if vmm == .ec2 {
            // EC2's hypervisor prepares the CPUID page last, whatever the metadata's order.
            for section in firmware.sections where section.kind == .cpuid {
                try add(section, to: &digest, hashing)
            }
        }
        for number in 0..<vcpus { digest.add(try state(of: number)) }
        return digest.value
    }

    private func add(
        _ section: FirmwareSection, to digest: inout LaunchDigest, _ hashing: some Hashing
    ) throws(PSPFault) {
        let address = UInt64(section.address)
        switch section.kind {
        case .memory:
            let type: LaunchDigest.PageType = vmm == .gce ? .unmeasured : .zero
            digest.add(type, at: address, size: UInt64(section.size))
        case .callingArea: digest.add(.zero, at: address, size: UInt64(section.size))
        case .secrets: digest.add(.secrets, at: address, size: UInt64(FirmwareSection.pageSize))
        case .cpuid: digest.add(.cpuid, at: address, size: UInt64(FirmwareSection.pageSize))
        case .kernelHashes:
            guard let boot else {
                digest.add(.zero, at: address, size: UInt64(section.size))
                return
            }
            digest.add(contents: try page(of: boot.hashesTable(hashing), in: section), at: address)
        }
    }

    /// The section's one page, with the table where the firmware looks for it.
    private func page(
        of table: [UInt8], in section: FirmwareSection
    ) throws(PSPFault) -> [UInt8] {
        guard let place = firmware.hashesTable, section.size == FirmwareSection.pageSize,
            section.range.contains(UInt64(place)),
            section.range.upperBound - UInt64(place) >= UInt64(table.count)
        else {
            throw .unusable("firmware: its table of kernel hashes does not lie in its section")
        }
        let before = Int(place - section.address)
        var page = ByteWriter()
        page.zeros(before)
        page.raw(table)
        page.zeros(Int(section.size) - before - table.count)
        return page.bytes
    }

    private func state(of number: UInt32) throws(PSPFault) -> SaveArea {
        guard number > 0 else {
            return SaveArea(
                entry: SaveArea.resetVector, vcpu: vcpu, guestFeatures: guestFeatures, vmm: vmm)
        }
        guard let entry = firmware.processorEntry else {
            throw .unusable("firmware: it does not say where a second processor begins")
        }
        return SaveArea(entry: entry, vcpu: vcpu, guestFeatures: guestFeatures, vmm: vmm)
    }
}
