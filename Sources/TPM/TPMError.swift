/// Why a TPM did not do what it was asked.
public enum TPMError: Error, Equatable, Sendable {
    /// tpm2-tss is not installed, or not whole.
    case library(problem: String)
    /// A response code, of the TPM or of the library, to `command`.
    case command(name: String, code: UInt32)
    /// The TPM answered, and the answer is not usable.
    case badAnswer(command: String, problem: String)

    /// Whether the object or NV index asked for does not exist (TPM_RC_HANDLE).
    public var isMissing: Bool {
        // Format 1 codes carry the number of the handle or parameter in bits 6 and 8 to 11.
        if case .command(_, let code) = self { return code & 0xffff_00bf == 0x8b }
        return false
    }

    /// Whether trying again may help: TPM_RC_RETRY, YIELDED, CANCELED, TESTING or registers that changed.
    public var isTransient: Bool {
        guard case .command(_, let code) = self else { return false }
        return [0x922, 0x908, 0x909, 0x90a, 0x7_0009].contains(code)
    }
}

extension TPMError: CustomStringConvertible {
    /// One line: the command in its specification's spelling, and the code.
    public var description: String {
        switch self {
        case .library(let problem): "TPM library: \(problem)"
        case .command(let name, let code):
            "\(name): response code 0x\(String(code, radix: 16))" + Self.hint(code)
        case .badAnswer(let command, let problem): "\(command): \(problem)"
        }
    }

    /// The name of the codes that an operator may meet (TPM 2.0 library, part 2, table 16).
    private static func hint(_ code: UInt32) -> String {
        switch code {
        case 0x7_0000...0xa_ffff: return " of the library or its transport"
        case 0x100: return " (TPM_RC_INITIALIZE)"
        case 0x101: return " (TPM_RC_FAILURE)"
        case 0x921: return " (TPM_RC_LOCKOUT)"
        case 0x922: return " (TPM_RC_RETRY)"
        default: break
        }
        switch code & 0xffff_00bf {
        case 0x84: return " (TPM_RC_VALUE)"
        case 0x85: return " (TPM_RC_HIERARCHY)"
        case 0x8b: return " (TPM_RC_HANDLE)"
        case 0x8e: return " (TPM_RC_AUTH_FAIL)"
        case 0xa2: return " (TPM_RC_BAD_AUTH)"
        default: return ""
        }
    }
}
