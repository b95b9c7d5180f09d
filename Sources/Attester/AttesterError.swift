import Linux
public import TPM

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
    /// The TPM, or its library.
    case tpm(TPMError)
    /// The host's service that makes quotes of TDREPORTs.
    case quoteService(problem: String)
    /// The cloud's metadata service.
    case metadataService(path: String, problem: String)
    /// The evidence cannot be made worthless at hand-over.
    case cannotEnd(register: String, problem: String)
}

extension AttesterError: CustomStringConvertible {
    /// One line: what was asked and what came.
    public var description: String {
        switch self {
        case .noPlatform(let directory):
            "no secure processor: \(directory) has no report interface, "
                + "and there is no /dev/sev-guest or /dev/tdx_guest"
        case .unknownProvider(let name):
            "TSM provider: expected sev_guest or tdx_guest, found \(name)"
        case .system(let call, let path, let reason, _):
            "\(path): \(call): \(reason)"
        case .gaveUp(let attempts, let last):
            "the secure processor gave no report in \(attempts) attempts: \(last)"
        case .badReport(let field, let problem):
            "report from the secure processor: \(field): \(problem)"
        case .tpm(let error): error.description
        case .quoteService(let problem): "quote service of the host: \(problem)"
        case .metadataService(let path, let problem): "metadata service: \(path): \(problem)"
        case .cannotEnd(let register, let problem):
            "\(register) cannot be extended at hand-over: \(problem)"
        }
    }
}

extension AttesterError {
    init(_ error: SystemError) {
        self = .system(
            call: error.call, path: error.subject, reason: error.reason,
            isTransient: error.isTransient)
    }
}
