/// What stands behind the measurements of a launch; greater is better.
public enum LaunchClass: String, Sendable, Hashable, CaseIterable, Codable {
    /// A TPM that the host emulates.
    case hostVTPM = "host-vtpm"
    /// A TPM in a paravisor that the processor attests.
    case paravisorVTPM = "paravisor-vtpm"
    /// A TPM in an SVSM that the processor attests.
    case svsmVTPM = "svsm-vtpm"
    /// The processor itself: everything that boots is in its launch digest.
    case cpu
}

extension LaunchClass: Comparable {
    /// Orders by trust: `hostVTPM` is the least.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .hostVTPM: 0
        case .paravisorVTPM: 1
        case .svsmVTPM: 2
        case .cpu: 3
        }
    }
}

/// Where the processor vouches for a VM's configuration.
public enum ConfigAnchor: String, Sendable, Hashable, CaseIterable, Codable {
    /// SNP's HOST_DATA holds the digest of the configuration.
    case hostData = "host-data"
    /// TDX's MRCONFIGID holds the digest of the configuration.
    case mrconfigid
    /// The configuration lies within the measured image.
    case measuredImage = "measured-image"
}

/// What a reference measurement covers, so that changing it changes the measurement.
public enum Coverage: String, Sendable, Hashable, CaseIterable, Codable {
    /// The virtual firmware and the initial processor state.
    case firmware
    /// The kernel.
    case kernel
    /// The initramfs.
    case initramfs
    /// The kernel's command line.
    case commandLine = "command line"
    /// The gate's configuration, as a file within the image.
    case config
}

extension Coverage {
    /// What a launch has to vouch for as a whole, by whatever means.
    static let boot: Set<Coverage> = [.firmware, .kernel, .initramfs, .commandLine]
}
