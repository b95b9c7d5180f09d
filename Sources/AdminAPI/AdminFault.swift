/// What an unsuccessful answer of the admin API says; on the wire `{"error": {...}}`.
public struct AdminFault: Error, Codable, Equatable, Sendable {
    /// What kind of fault it is; each goes with one HTTP status.
    public enum Code: String, Codable, Sendable {
        /// A field or the body as a whole cannot be used: status 400.
        case invalid
        /// The peer's user may not use this socket: status 403.
        case forbidden
        /// Nothing has that name: status 404.
        case notFound = "not found"
        /// The state of things forbids it, such as a policy that does not exist: status 409.
        case conflict
        /// The body is larger than the endpoint reads: status 413.
        case tooLarge = "too large"
        /// The broker's own fault; its log says more: status 500.
        case `internal`
    }

    /// What kind of fault it is.
    public var code: Code
    /// One line for a person: what was expected and what came. Never repeats a secret.
    public var message: String
    /// Path of the field at fault, such as `headerDigest` or `measurement[0].sha384`.
    public var field: String?

    /// Puts a fault together.
    public init(_ code: Code, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }

    /// The HTTP status that carries it.
    public var status: Int {
        switch code {
        case .invalid: 400
        case .forbidden: 403
        case .notFound: 404
        case .conflict: 409
        case .tooLarge: 413
        case .internal: 500
        }
    }
}

extension AdminFault: CustomStringConvertible {
    /// `field: message`, or the message.
    public var description: String {
        field.map { "\($0): \(message)" } ?? message
    }
}

/// The body of every answer with a status of 400 and above.
public struct AdminFaultBody: Codable, Equatable, Sendable {
    /// The fault.
    public var error: AdminFault

    /// Wraps a fault.
    public init(error: AdminFault) {
        self.error = error
    }
}
