public import Bytes

/// What a host starts an SNP guest with, besides its firmware.
public struct SNPLaunch: Sendable, Equatable {
    /// Who starts it.
    public var hypervisor = HypervisorType.qemu
    /// How many processors it has, `1...4096`.
    public var processorCount: Int
    /// The processor's type; needed under QEMU, ignored elsewhere.
    public var processor: ProcessorType?
    /// SEV_FEATURES: 0x1 is SNP, 0x21 is SNP with debug registers swapped.
    public var features: UInt64 = 0x1
    /// The directly booted kernel with `kernel-hashes=on`; nil for none of both.
    public var kernel: KernelHashes?

    /// A launch by QEMU without a directly booted kernel.
    public init(processorCount: Int, processor: ProcessorType? = nil) {
        self.processorCount = processorCount
        self.processor = processor
    }
}

/// Launch digests of guests with one firmware; its own pages are hashed once.
public struct SNPMeasurer: Sendable {
    let firmware: SNPFirmware
    /// The digest after the firmware's pages.
    public let firmwareDigest: FixedBytes<48>
    let hashing: any Hashing

    /// Measures the firmware's pages; or takes their digest as known, and of `firmware` only the
    /// metadata.
    public init(
        _ firmware: SNPFirmware, firmwareDigest: FixedBytes<48>? = nil, hashing: any Hashing
    ) {
        self.firmware = firmware
        self.hashing = hashing
        if let firmwareDigest {
            self.firmwareDigest = firmwareDigest
        } else {
            var chain = PageChain(hashing: hashing)
            chain.add(firmware.file.bytes, at: firmware.file.base)
            self.firmwareDigest = chain.digest
        }
    }

    /// The MEASUREMENT that the secure processor reports of `launch`.
    public func digest(of launch: SNPLaunch) throws(PredictionError) -> FixedBytes<48> {
        guard (1...4096).contains(launch.processorCount) else {
            throw .processorCount(launch.processorCount)
        }
        var chain = try prepared(launch.hypervisor, kernel: launch.kernel)
        let (first, others) = try saveAreas(launch)
        chain.add(saveArea: first)
        guard launch.processorCount > 1 else { return chain.digest }
        guard let others else { throw .noResetAddress }
        for _ in 1..<launch.processorCount {
            chain.add(saveArea: others)
        }
        return chain.digest
    }

    /// The chain before the first processor: the firmware, then the pages that its metadata asks for.
    func prepared(
        _ hypervisor: HypervisorType, kernel: KernelHashes?
    ) throws(PredictionError) -> PageChain {
        guard kernel == nil || firmware.hashTable != nil else { throw .noKernelHashes }
        var chain = PageChain(from: firmwareDigest, hashing: hashing)
        for section in firmware.sections {
            let (address, size) = (section.address, section.size)
            switch section.kind {
            case .memory:
                chain.add(hypervisor == .gce ? .unmeasured : .zero, at: address, size: size)
            case .secrets:
                chain.add(.secrets, at: address, size: size)
            case .cpuid:
                // EC2 adds it behind all others.
                if hypervisor != .ec2 { chain.add(.cpuid, at: address, size: size) }
            case .callingArea:
                chain.add(.zero, at: address, size: size)
            case .kernelHashes:
                if let kernel, let table = firmware.hashTable {
                    chain.add(kernel.page(offset: table.offset), at: UInt64(address))
                } else {
                    chain.add(.zero, at: address, size: size)
                }
            }
        }
        if hypervisor == .ec2 {
            for section in firmware.sections where section.kind == .cpuid {
                chain.add(.cpuid, at: section.address, size: section.size)
            }
        }
        return chain
    }

    /// The digests of the first processor's page and of each other's, which start where the firmware
    /// says.
    func saveAreas(
        _ launch: SNPLaunch
    ) throws(PredictionError) -> (first: FixedBytes<48>, others: FixedBytes<48>?) {
        guard
            let processor = launch.hypervisor == .qemu
                ? launch.processor : ProcessorType(signature: 0)
        else { throw .noProcessorSignature }
        let area = SaveArea(
            hypervisor: launch.hypervisor, signature: processor.signature,
            features: launch.features)
        let others = firmware.resetAddress.map { hashing.sha384(area.page(startingAt: $0)) }
        return (hashing.sha384(area.page(startingAt: SaveArea.resetVector)), others)
    }
}
