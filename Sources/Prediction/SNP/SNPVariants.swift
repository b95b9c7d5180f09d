public import Bytes

/// Looks for the launch behind a digest that nobody expected, among the usual variants.
///
/// Everything but firmware, kernel, initramfs and command line is tried: number and type of
/// processors, guest features with and without debug swap, kernel hashes on and off, hypervisor.
public struct SNPVariants: Sendable {
    /// How many processors are tried, from one up.
    public static let maximumProcessorCount = 512

    private let measurer: SNPMeasurer
    private let kernel: KernelHashes?

    /// Will try launches with this firmware and this kernel.
    public init(_ measurer: SNPMeasurer, kernel: KernelHashes?) {
        self.measurer = measurer
        self.kernel = kernel
    }

    /// The first variant behind each of `digests`; those that no variant has are left out. QEMU's
    /// variants come first.
    public func launches(
        behind digests: Set<FixedBytes<48>>
    ) throws(PredictionError) -> [FixedBytes<48>: SNPLaunch] {
        let hasTable = measurer.firmware.coversKernel
        let kernels: [KernelHashes?] = hasTable && kernel != nil ? [kernel, nil] : [nil]
        var found: [FixedBytes<48>: SNPLaunch] = [:]
        for hypervisor in HypervisorType.allCases {
            for kernel in kernels {
                let chain = try measurer.prepared(hypervisor, kernel: kernel)
                for launch in Self.launches(hypervisor, kernel) {
                    try add(launch, after: chain, to: &found, from: digests)
                    if found.count == digests.count { return found }
                }
            }
        }
        return found
    }

    private static func launches(
        _ hypervisor: HypervisorType, _ kernel: KernelHashes?
    ) -> [SNPLaunch] {
        var types: [ProcessorType?] = [nil]
        if hypervisor == .qemu {
            types = []
            for type in ProcessorType.names.compactMap(ProcessorType.init(name:))
            where !types.contains(type) {
                types.append(type)
            }
        }
        return types.flatMap { type in
            [UInt64(0x1), 0x21].map { features in
                var launch = SNPLaunch(processorCount: 1, processor: type)
                launch.hypervisor = hypervisor
                launch.kernel = kernel
                launch.features = features
                return launch
            }
        }
    }

    /// Adds one processor after another, so each count costs one hash.
    private func add(
        _ launch: SNPLaunch, after prepared: PageChain,
        to found: inout [FixedBytes<48>: SNPLaunch], from digests: Set<FixedBytes<48>>
    ) throws(PredictionError) {
        let (first, others) = try measurer.saveAreas(launch)
        var chain = prepared
        chain.add(saveArea: first)
        for count in 1...Self.maximumProcessorCount {
            if digests.contains(chain.digest), found[chain.digest] == nil {
                found[chain.digest] = launch
                found[chain.digest]?.processorCount = count
            }
            guard let others else { return }
            chain.add(saveArea: others)
        }
    }
}
