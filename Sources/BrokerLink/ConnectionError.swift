public import Linux
public import OpenSSL
public import Protocol

/// Why a connection to a broker is of no more use.
public enum ConnectionError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The socket.
    case system(SystemError)
    /// The handshake, or the pins.
    case tls(TLSError)
    /// The protocol.
    case session(SessionError)
    /// The key that a release is sealed to.
    case crypto(CryptoError)
    /// The broker closed before it had said what it was asked.
    case closed
    /// The broker did not answer in time.
    case timeout
    /// The broker has no room just now, or did not understand.
    case turnedAway(Refused.Code)

    /// One line: what went wrong.
    public var description: String {
        switch self {
        case .system(let error): error.description
        case .tls(let error): error.description
        case .session(let error): "protocol: \(error)"
        case .crypto(let error): error.description
        case .closed: "the broker closed the connection"
        case .timeout: "the broker did not answer in time"
        case .turnedAway(.busy): "the broker is busy"
        case .turnedAway: "the broker did not accept the connection"
        }
    }

    /// With the address of the broker, which an error of the system names already.
    public func description(at address: SocketAddress) -> String {
        if case .system = self { return description }
        return "\(address.description): \(description)"
    }
}
