import Bytes

/// The first register state of a virtual processor, as the page that an SNP launch measures.
///
/// Layout: AMD publication 24593 (APM volume 2), table B-4; the values are those with which KVM
/// starts a processor after reset.
struct SaveArea {
    /// EIP of the boot processor: the reset vector.
    static let resetVector: UInt32 = 0xffff_fff0

    let entry: UInt32
    let vcpu: VCPUType
    let guestFeatures: UInt64
    let vmm: VMMType

    /// The page of 4096 bytes.
    var page: [UInt8] {
        var page = [UInt8](repeating: 0, count: 4096)
        let isEC2 = vmm == .ec2
        let data: UInt16 = 0x93
        Self.segment(&page, 0x00, attributes: data)  // ES
        Self.segment(
            &page, 0x10, selector: 0xf000,
            attributes: isEC2 && entry == Self.resetVector ? 0x9a : 0x9b,
            base: UInt64(entry & 0xffff_0000))  // CS
        Self.segment(&page, 0x20, attributes: isEC2 ? 0x92 : data)  // SS
        Self.segment(&page, 0x30, attributes: data)  // DS
        Self.segment(&page, 0x40, attributes: data)  // FS
        Self.segment(&page, 0x50, attributes: data)  // GS
        Self.segment(&page, 0x60, attributes: 0)  // GDTR
        Self.segment(&page, 0x70, attributes: 0x82)  // LDTR
        Self.segment(&page, 0x80, attributes: 0)  // IDTR
        Self.segment(&page, 0x90, attributes: isEC2 ? 0x83 : 0x8b)  // TR
        let registers: [(Int, UInt64)] = [
            (0xd0, 0x1000),  // EFER: SVME, set by KVM
            (0x148, 0x40),  // CR4: MCE, set by KVM
            (0x158, 0x10),  // CR0
            (0x160, 0x400),  // DR7
            (0x168, 0xffff_0ff0),  // DR6
            (0x170, 0x2),  // RFLAGS
            (0x178, UInt64(entry & 0xffff)),  // RIP
            (0x268, vmm == .gce ? 0x0007_0106 : 0x0007_0406_0007_0406),  // G_PAT
            (0x310, vmm == .qemu ? UInt64(vcpu.signature) : 0x600),  // RDX
            (0x3b0, guestFeatures),  // SEV_FEATURES
            (0x3e8, 0x1),  // XCR0
            (0x408, vmm == .qemu ? 0x1f80 : 0),  // MXCSR
            (0x410, vmm == .qemu ? 0x37f : 0),  // X87_FCW
        ]
        for (offset, value) in registers { Self.put(&page, offset, value, count: 8) }
        return page
    }

    private static func segment(
        _ page: inout [UInt8], _ offset: Int, selector: UInt16 = 0, attributes: UInt16,
        base: UInt64 = 0
    ) {
        put(&page, offset, UInt64(selector), count: 2)
        put(&page, offset + 2, UInt64(attributes), count: 2)
        put(&page, offset + 4, 0xffff, count: 4)
        put(&page, offset + 8, base, count: 8)
    }

    private static func put(_ page: inout [UInt8], _ offset: Int, _ value: UInt64, count: Int) {
        for index in 0..<count {
            page[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
        }
    }
}
