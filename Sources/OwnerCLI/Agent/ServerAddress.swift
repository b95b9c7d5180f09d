import Protocol

/// Where a server is: `HOST`, `HOST:PORT` or `[IPv6]:PORT`.
struct ServerAddress: Equatable {
    let host: String
    let port: UInt16

    /// Nil unless `text` is an address of one of the three forms.
    init?(_ text: String, defaultPort: UInt16) {
        guard let address = BrokerAddress(text) else { return nil }
        let namesPort = text.hasPrefix("[") ? !text.hasSuffix("]") : text.contains(":")
        host = address.host
        port = namesPort ? address.port : defaultPort
    }

    /// Reads an option's value.
    init(_ text: String, defaultPort: UInt16, _ option: String) throws(Failure) {
        guard let address = ServerAddress(text, defaultPort: defaultPort) else {
            throw Failure(
                .unusableInput,
                "\(option): expected HOST, HOST:PORT or [IPV6]:PORT, got \"\(text.shown)\"")
        }
        self = address
    }

    /// Reads `https://HOST[:PORT]`, with nothing behind it but a slash.
    init(url text: String, defaultPort: UInt16, _ option: String) throws(Failure) {
        let scheme = "https://"
        var rest = text.dropFirst(scheme.count)
        if rest.hasSuffix("/") { rest.removeLast() }
        guard text.lowercased().hasPrefix(scheme),
            let address = ServerAddress(String(rest), defaultPort: defaultPort)
        else {
            throw Failure(
                .unusableInput,
                "\(option): expected https://HOST or https://HOST:PORT, got \"\(text.shown)\"")
        }
        self = address
    }

    /// Such as `https://web-1.example:5555`.
    var origin: String { "https://\(description)" }
}

extension ServerAddress: CustomStringConvertible {
    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
