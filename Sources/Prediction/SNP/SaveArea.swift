import Bytes

/// The hypervisors whose launches can be predicted; they start processors in different states.
public enum HypervisorType: String, Sendable, Hashable, CaseIterable, Codable {
    /// QEMU with KVM.
    case qemu
    /// Amazon EC2.
    case ec2
    /// Google Compute Engine.
    case gce
}

/// The first state of a processor, as a VMSA page.
///
/// Offsets: AMD publication 24593 (APM volume 2), table B-4. Reset values: APM volume 2, table 14-1,
/// and what each hypervisor makes of them; those of EC2 and GCE are known from `sev-snp-measure` only.
struct SaveArea {
    let hypervisor: HypervisorType
    /// CPUID Fn0000_0001_EAX; counts under QEMU only.
    let signature: UInt32
    /// SEV_FEATURES, bit 0 of which is SNP.
    let features: UInt64

    /// Where the first processor starts.
    static let resetVector: UInt32 = 0xffff_fff0

    /// The page of a processor that starts at `address`.
    func page(startingAt address: UInt32) -> [UInt8] {
        var page = Page()
        page.segment(at: 0x00, attributes: 0x93)  // ES
        page.segment(
            at: 0x10, selector: 0xf000, attributes: codeAttributes(address),
            base: UInt64(address & 0xffff_0000))  // CS
        page.segment(at: 0x20, attributes: hypervisor == .ec2 ? 0x92 : 0x93)  // SS
        page.segment(at: 0x30, attributes: 0x93)  // DS
        page.segment(at: 0x40, attributes: 0x93)  // FS
        page.segment(at: 0x50, attributes: 0x93)  // GS
        page.segment(at: 0x60, attributes: 0)  // GDTR
        page.segment(at: 0x70, attributes: 0x82)  // LDTR
        page.segment(at: 0x80, attributes: 0)  // IDTR
        page.segment(at: 0x90, attributes: hypervisor == .ec2 ? 0x83 : 0x8b)  // TR
        page.put(UInt64(0x1000), at: 0xd0)  // EFER: SVME
        page.put(UInt64(0x40), at: 0x148)  // CR4: MCE
        page.put(UInt64(0x10), at: 0x158)  // CR0: ET
        page.put(UInt64(0x400), at: 0x160)  // DR7
        page.put(UInt64(0xffff_0ff0), at: 0x168)  // DR6
        page.put(UInt64(2), at: 0x170)  // RFLAGS
        page.put(UInt64(address & 0xffff), at: 0x178)  // RIP
        page.put(pageAttributes, at: 0x268)  // PAT
        page.put(UInt64(hypervisor == .qemu ? signature : 0x600), at: 0x310)  // RDX
        page.put(features, at: 0x3b0)  // SEV_FEATURES
        page.put(UInt64(1), at: 0x3e8)  // XCR0
        if hypervisor == .qemu {
            page.put(UInt32(0x1f80), at: 0x408)  // MXCSR
            page.put(UInt16(0x37f), at: 0x410)  // x87 FCW
        }
        return page.bytes
    }

    private var pageAttributes: UInt64 {
        hypervisor == .gce ? 0x0007_0106 : 0x0007_0406_0007_0406
    }

    private func codeAttributes(_ address: UInt32) -> UInt16 {
        hypervisor == .ec2 && address == Self.resetVector ? 0x9a : 0x9b
    }
}

private struct Page {
    var bytes = [UInt8](repeating: 0, count: pageSize)

    mutating func put<T: FixedWidthInteger & UnsignedInteger>(_ value: T, at offset: Int) {
        for index in 0..<(T.bitWidth / 8) {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
        }
    }

    mutating func segment(
        at offset: Int, selector: UInt16 = 0, attributes: UInt16, base: UInt64 = 0
    ) {
        put(selector, at: offset)
        put(attributes, at: offset + 2)
        put(UInt32(0xffff), at: offset + 4)
        put(base, at: offset + 8)
    }
}
