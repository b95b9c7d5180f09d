public import Bytes
public import Protocol

/// A platform that can say, signed by its hardware, what runs here.
public protocol EvidenceProvider: Sendable {
    /// What kind of evidence it makes.
    var kind: EvidenceKind { get }

    /// Blocks until the hardware has signed `reportData`.
    func evidence(over reportData: FixedBytes<64>) throws(AttesterError) -> EvidenceMessage

    /// What the hardware says the configuration is, from a report made for this process just now.
    func configAnchor() throws(AttesterError) -> HardwareAnchor
}

/// The field of a report that whoever launched the VM had to fill with the configuration's digest.
public enum HardwareAnchor: Equatable, Sendable {
    /// SNP's HOST_DATA.
    case hostData(FixedBytes<32>)
}

/// Why there is no evidence.
public enum AttesterError: Error, Equatable, Sendable {
    /// The kernel shows no interface to a secure processor.
    case noPlatform(directory: String)
    /// The kernel's driver is one that this release has no provider for.
    case unknownProvider(name: String)
    /// The kernel refused.
    case system(call: String, path: String, reason: String, isTransient: Bool)
    /// Others kept writing to the report, or the hardware stayed busy.
    case gaveUp(attempts: Int, last: String)
    /// What came is no report, or not one over what was asked.
    case badReport(field: String, problem: String)
}

extension AttesterError: CustomStringConvertible {
    /// One line: what was asked and what came.
    public var description: String {
        switch self {
        case .noPlatform(let directory):
            "no secure processor: \(directory) has no report interface"
        case .unknownProvider(let name):
            "TSM provider: expected sev_guest, found \(name)"
        case .system(let call, let path, let reason, _):
            "\(path): \(call): \(reason)"
        case .gaveUp(let attempts, let last):
            "the secure processor gave no report in \(attempts) attempts: \(last)"
        case .badReport(let field, let problem):
            "report from the secure processor: \(field): \(problem)"
        }
    }
}
