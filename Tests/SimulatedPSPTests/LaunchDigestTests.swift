import Bytes
import OpenSSL
import Testing

@testable import SimulatedPSP

/// A firmware of two pages with a pattern, so that no two pages are equal.
enum SampleFirmware {
    static let plain = (0..<8192).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 4096 + 3) }

    static func annotated() throws -> FirmwareImage {
        try FirmwareImage(FirmwareImage(plain).annotated())
    }
}

@Suite("The launch digest")
struct LaunchDigestTests {
    private func inputs() throws -> LaunchInputs {
        LaunchInputs(
            firmware: try SampleFirmware.annotated(), vcpus: 2,
            boot: DirectBoot(
                kernel: Array("kernel".utf8), initrd: Array("initrd".utf8),
                commandLine: "console=ttyS0"))
    }

    private func measure(_ change: (inout LaunchInputs) -> Void = { _ in }) throws -> String {
        var changed = try inputs()
        change(&changed)
        return try changed.measurement(hashing: OpenSSLHashing()).hex
    }

    /// What sev-snp-measure 0.0.13 prints for the same files.
    @Test("is the one that sev-snp-measure computes", arguments: Golden.all)
    func golden(_ golden: Golden) throws {
        let measured = try measure {
            $0.vcpus = golden.vcpus
            $0.vcpu = VCPUType(named: golden.model) ?? .usual
            $0.guestFeatures = golden.features
            $0.vmm = golden.vmm
            if !golden.boots { $0.boot = nil }
        }
        #expect(measured == golden.digest)
    }

    struct Golden: CustomTestStringConvertible {
        var vcpus: UInt32
        var model: String
        var features: UInt64
        var vmm: VMMType
        var boots: Bool
        var digest: String

        var testDescription: String { "\(vcpus) \(model) \(features) \(vmm) \(boots)" }

        static let all = [
            Golden(
                vcpus: 1, model: "EPYC-v4", features: 1, vmm: .qemu, boots: true,
                digest: "99ed5565c4428540b4036225982a6f9f8276a3dd52ff04ac"
                    + "04bda478cf636b7b9ff54ea0fe9440413bc97b6c9d5f9cc5"),
            Golden(
                vcpus: 1, model: "EPYC-v4", features: 1, vmm: .qemu, boots: false,
                digest: "20b77b7c0b4e47521c1fcf196b2b8a7ed57fedcb17588a15"
                    + "0315649ccaf4f64321a322a2dba28d053a6560ac40983189"),
            Golden(
                vcpus: 2, model: "EPYC-Milan", features: 33, vmm: .qemu, boots: true,
                digest: "394bf53f1ce0f37f148631caddbf463b73959c161b3c6987"
                    + "b9bcd8fd26a962a54b6dcd83b5a77e2d4244bd12d33bfda9"),
            Golden(
                vcpus: 4, model: "EPYC-Genoa-v1", features: 1, vmm: .ec2, boots: true,
                digest: "8692955076efbdfc9b3ceb89f304c479fd3e3397a9357179"
                    + "f7b5e6381070126ae06f319d9d1f311b09029e28ab486617"),
            Golden(
                vcpus: 3, model: "EPYC-Rome-v2", features: 33, vmm: .gce, boots: true,
                digest: "00ce6e4fc6f15d0a1f855b4fd7a4944b6477ff999a96a9c8"
                    + "92a06a9360d93de02c94f9778c4173394625f82b1e93addb"),
            Golden(
                vcpus: 64, model: "EPYC-Turin", features: 1, vmm: .qemu, boots: true,
                digest: "d1de8eaa2155ae08ced98c712afbf73531ee89e792b4935b"
                    + "d766cbfd215bcaee61c25940e5c92461bc8d0e886fbc22b2"),
            Golden(
                vcpus: 2, model: "EPYC-v4", features: 1, vmm: .gce, boots: false,
                digest: "08cfa74b73708a5190b5cda3cbd28e2e8017a78c4c01c9d2"
                    + "4bdafcbdb2a0b2225c1f60429ee71b9bec2bb7e7c1db71c8"),
            Golden(
                vcpus: 2, model: "EPYC-v4", features: 1, vmm: .ec2, boots: false,
                digest: "e46dc4a0c7d487eab2e4218a10847616339f740406f67e67"
                    + "f016814840ea16808b1658955dfb4bc45a824a6f99ea4157"),
        ]
    }

    @Test("changes with every part of a launch")
    func coversEverything() throws {
        let other = try FirmwareImage(
            FirmwareImage(SampleFirmware.plain.map { $0 ^ 1 }).annotated())
        let all = [
            try measure(), try measure { $0.firmware = other }, try measure { $0.vcpus = 3 },
            try measure { $0.vcpu = VCPUType(named: "EPYC-Milan") ?? .usual },
            try measure { $0.guestFeatures = 0x21 }, try measure { $0.vmm = .ec2 },
            try measure { $0.vmm = .gce }, try measure { $0.boot = nil },
            try measure { $0.boot?.kernel[0] ^= 1 }, try measure { $0.boot?.initrd[5] ^= 1 },
            try measure { $0.boot?.commandLine += " " },
        ]
        #expect(Set(all).count == all.count)
    }

    @Test("is refused where it would cover no kernel, and says so")
    func noKernelHashes() throws {
        var inputs = try inputs()
        inputs.firmware = try FirmwareImage(SampleFirmware.plain)
        #expect(throws: PSPFault.self) { try inputs.measurement(hashing: OpenSSLHashing()) }
        inputs.boot = nil
        #expect(throws: PSPFault.self) { try inputs.measurement(hashing: OpenSSLHashing()) }
        inputs.vcpus = 1
        #expect(try inputs.measurement(hashing: OpenSSLHashing()).hex.count == 96)
    }
}

@Suite("Firmware files")
struct FirmwareTests {
    @Test("a file without metadata gets OVMF's, and keeps its contents and its end")
    func annotates() throws {
        let image = try SampleFirmware.annotated()
        #expect(image.bytes.count == 3 * 4096)
        #expect(
            image.sections.map(\.kind) == [
                .memory, .memory, .secrets, .cpuid, .memory, .kernelHashes, .memory,
            ])
        #expect(image.sections[5].address == 0x81_0000)
        #expect(image.sections[4].range.upperBound == 0x81_0000)
        #expect(image.sections[6].range.lowerBound == 0x81_1000)
        #expect(image.sections[6].range.upperBound == 0x82_0000)
        #expect(image.hashesTable == 0x81_0c00)
        #expect(image.processorEntry == 0x80_b004)
        #expect(image.bytes.suffix(32) == SampleFirmware.plain.suffix(32))
        #expect(Array(image.bytes[4096..<12000]) == Array(SampleFirmware.plain[..<7904]))
    }

    @Test("a file that has everything comes back as it is")
    func twice() throws {
        let image = try SampleFirmware.annotated()
        #expect(try image.annotated() == image.bytes)
    }

    @Test("what is no firmware is refused", arguments: [0, 1, 4095, 4097])
    func sizes(count: Int) {
        #expect(throws: PSPFault.self) { try FirmwareImage([UInt8](repeating: 0, count: count)) }
    }

    @Test("a table with lengths that cannot be is refused, whatever the byte")
    func brokenTables() throws {
        let good = try SampleFirmware.annotated().bytes
        let end = good.count - 32
        // The footer's length, then that of the entry before it.
        for offset in [end - 18, end - 36] {
            for value in [0, 17, 0xffff] {
                var bad = good
                bad[offset] = UInt8(value & 0xff)
                bad[offset + 1] = UInt8(value >> 8)
                #expect(throws: PSPFault.self) { try FirmwareImage(bad) }
            }
        }
        // Signature, version, number of sections, kind of the first.
        for offset in [0, 8, 15, 27] {
            var bad = good
            bad[offset] ^= 0x80
            #expect(throws: PSPFault.self) { try FirmwareImage(bad) }
        }
    }

    @Test("processor models carry the signature of CPUID")
    func models() {
        #expect(VCPUType(named: "EPYC-v4")?.signature == 0x0080_0f12)
        #expect(VCPUType(named: "EPYC-IBPB")?.signature == 0x0080_0f12)
        #expect(VCPUType(named: "EPYC-Rome")?.signature == 0x0083_0f10)
        #expect(VCPUType(named: "EPYC-Milan-v2")?.signature == 0x00a0_0f11)
        #expect(VCPUType(named: "EPYC-Genoa-v1")?.signature == 0x00a1_0f10)
        #expect(VCPUType(named: "EPYC-Turin")?.signature == 0x00b0_0f00)
        for name in ["", "EPYC-", "EPYC-v", "EPYC-vx", "Skylake", "-v1"] {
            #expect(VCPUType(named: name) == nil)
        }
    }
}
