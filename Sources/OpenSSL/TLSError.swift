public import Bytes

/// Why TLS could not be set up or had to end; nothing in it is secret.
public enum TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The certificate of a server context cannot be used.
    case certificate(String)
    /// The private key of a server context cannot be used.
    case privateKey(String)
    /// A client needs one to sixteen pins.
    case pinCount(Int)
    /// An ALPN protocol has 1 to 255 bytes.
    case protocolNameLength(Int)
    /// The server proved a key, and no pin has its digest (SHA-256 of SubjectPublicKeyInfo).
    case peerKeyNotPinned(presented: FixedBytes<32>)
    /// The peer offers, or chose, no ALPN protocol or another one.
    case protocolNotAgreed(expected: String)
    /// Any other end of a handshake.
    case handshakeFailed(OpenSSLFault)
    /// A record after the handshake that does not open, or an alert.
    case recordRefused(OpenSSLFault)
    /// Used before the handshake was done.
    case notEstablished
    /// More ciphertext waits than may; the reader must be called in between.
    case tooMuchPending(limit: Int)
    /// OpenSSL itself failed.
    case library(OpenSSLFault)

    /// One line: what, expected, actual.
    public var description: String {
        switch self {
        case .certificate(let why): "TLS certificate: \(why)"
        case .privateKey(let why): "TLS private key: \(why)"
        case .pinCount(let count): "pins: expected 1 to 16, have \(count)"
        case .protocolNameLength(let count): "ALPN name: expected 1 to 255 bytes, has \(count)"
        case .peerKeyNotPinned(let presented):
            "server key: expected one of the pins, presented sha256:\(presented)"
        case .protocolNotAgreed(let expected): "ALPN: expected \(expected), peer has none like it"
        case .handshakeFailed(let fault): "TLS handshake: \(fault.reason)"
        case .recordRefused(let fault): "TLS record: \(fault.reason)"
        case .notEstablished: "TLS: the handshake is not done"
        case .tooMuchPending(let limit): "TLS: more than \(limit) bytes wait to be read"
        case .library(let fault): fault.description
        }
    }
}
