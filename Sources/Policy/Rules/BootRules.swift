public import Bytes

/// What an owner wants to see in the log of a boot.
public struct BootRules: Sendable, Equatable {
    /// Whether a launch needs a log that replays to the quoted registers.
    public var isRequired = false
    /// Whether Secure Boot has to be on (or off); nil: no requirement.
    public var secureBoot: Bool?
    /// SHA-256 of the certificates that may have let an image in; empty: no requirement.
    public var authorities: Set<FixedBytes<32>> = []
    /// Digests of the images that may have been started, in any bank; empty: no requirement.
    public var images: Set<[UInt8]> = []
    /// Digests of the drivers that may have been loaded; nil: no requirement, empty: none may.
    public var drivers: Set<[UInt8]>?
    /// The kernel command lines that may have been given beside the image's own; nil: no requirement.
    public var commandLines: Set<String>?
    /// Whether events may stand in the log that explain nothing.
    public var allowsUnexplained = false
    /// What the rules cover together, in the owner's judgement.
    public var covers: Set<Coverage> = []

    /// Nothing is asked of a log.
    public init() {}

    /// Whether a launch without a log is refused.
    var needsLog: Bool {
        isRequired || secureBoot != nil || !authorities.isEmpty || !images.isEmpty
            || drivers != nil || commandLines != nil
    }

    /// Whether something is asked for that tells one image from another.
    var namesImages: Bool { !authorities.isEmpty || !images.isEmpty }
}
