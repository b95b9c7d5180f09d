import Linux
import OpenSSL

/// Why a command of `bootgate-psp` stopped; each case has its documented exit code.
enum PSPFault: Error, Equatable {
    /// Something that was given cannot be used; exit code 2.
    case unusable(String)
    /// Something that is needed cannot be had; exit code 69.
    case unavailable(String)
    /// A mistake of ours, or of libcrypto; exit code 70.
    case defect(String)

    /// What the process ends with.
    var exitCode: Int32 {
        switch self {
        case .unusable: 2
        case .unavailable: 69
        case .defect: 70
        }
    }

    /// Runs `body`, whose failures are none of the user's.
    static func defects<Value: ~Copyable>(
        _ body: () throws(CryptoError) -> Value
    ) throws(PSPFault) -> Value {
        do throws(CryptoError) {
            return try body()
        } catch {
            throw .defect("\(error)")
        }
    }

    /// Runs `body`, which writes files.
    static func writing(_ body: () throws(SystemError) -> Void) throws(PSPFault) {
        do throws(SystemError) {
            try body()
        } catch {
            throw .unavailable("\(error)")
        }
    }
}

extension PSPFault: CustomStringConvertible {
    var description: String {
        switch self {
        case .unusable(let text), .unavailable(let text), .defect(let text): text
        }
    }
}
