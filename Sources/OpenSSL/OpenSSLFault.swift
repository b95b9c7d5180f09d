internal import COpenSSL

/// What OpenSSL put into its error queue, for an operator; it holds no secret.
public struct OpenSSLFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call of ours that failed.
    public var call: String
    /// OpenSSL's reason, such as `wrong version number`; empty where it gave none.
    public var reason: String

    /// `call: reason`.
    public var description: String {
        reason.isEmpty ? "\(call) failed" : "\(call): \(reason)"
    }

    /// A fault with a reason of our own.
    public init(call: String, reason: String) {
        self.call = call
        self.reason = reason
    }

    /// Takes the first reason from the queue of this thread and clears the queue.
    ///
    /// The queue is per thread: call this in the expression that throws.
    init(_ call: String) {
        self.call = call
        let code = ERR_get_error()
        reason = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? ""
        ERR_clear_error()
    }
}

/// Why a primitive refused.
public enum CryptoError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A seal, ciphertext or tag that does not open under this key and context.
    case notAuthentic
    /// A public key that yields no shared secret (RFC 7748, section 6.1).
    case weakPublicKey
    /// A key, nonce or text whose length the algorithm does not take.
    case wrongLength(field: String, expected: String, actual: Int)
    /// A text that is no key of a supported kind.
    case unsupportedKey(String)
    /// OpenSSL itself failed: out of memory, or an algorithm is missing.
    case library(OpenSSLFault)

    /// One line: field, expected, actual.
    public var description: String {
        switch self {
        case .notAuthentic: "ciphertext: does not open under this key and context"
        case .weakPublicKey: "public key: gives no shared secret"
        case .wrongLength(let field, let expected, let actual):
            "\(field): length must be \(expected), is \(actual)"
        case .unsupportedKey(let what): "key: \(what)"
        case .library(let fault): fault.description
        }
    }
}
