import CLinux
import Glibc

/// Where a TCP peer listens.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// A `sockaddr_in` or `sockaddr_in6`, as the kernel wants it.
    let storage: [UInt8]
    /// Such as `10.0.2.2:7411` or `[2001:db8::1]:7411`.
    public let description: String

    /// Whether it is an IPv6 address.
    public var isIPv6: Bool { storage.count == MemoryLayout<sockaddr_in6>.size }

    /// Asks the system's resolver for `host`, which may be a name or a numeric address.
    ///
    /// Blocks as long as the resolver does. Addresses come in the resolver's order of preference.
    public static func resolve(
        host: String, port: UInt16
    ) throws(ResolverError) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let result = unsafe getaddrinfo(host, "\(port)", &hints, &list)
        guard result == 0 else {
            throw ResolverError(
                host: host, reason: unsafe String(cString: gai_strerror(result)))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            let info = unsafe entry.pointee
            if let address = unsafe info.ai_addr {
                let bytes = unsafe UnsafeRawBufferPointer(
                    start: address, count: Int(info.ai_addrlen))
                addresses.append(
                    unsafe SocketAddress(
                        storage: Array(bytes),
                        description: numeric(address, info.ai_addrlen, port: port)))
            }
            unsafe next = info.ai_next
        }
        return addresses
    }

    /// A port of another machine on the same host, or of the host itself (context id 2).
    public static func vsock(context: UInt32, port: UInt32) -> SocketAddress {
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 16) { buffer, filled in
            unsafe bootgate_vsock_address(context, port, buffer.baseAddress)
            filled = 16
        }
        return SocketAddress(storage: bytes, description: "vsock \(context):\(port)")
    }

    private static func numeric(
        _ address: UnsafePointer<sockaddr>, _ length: socklen_t, port: UInt16
    ) -> String {
        let host = unsafe numericHost(address, length) ?? ""
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The address without its port, in digits.
    static func numericHost(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> String? {
        let text = unsafe [UInt8](unsafeUninitializedCapacity: 64) { buffer, filled in
            let start = UnsafeMutableRawPointer(buffer.baseAddress)
            let characters = unsafe start?.assumingMemoryBound(to: CChar.self)
            let result = unsafe getnameinfo(
                address, length, characters, 64, nil, 0, NI_NUMERICHOST)
            filled = result == 0 ? unsafe buffer.firstIndex(of: 0) ?? 0 : 0
        }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }
}

/// A name that could not be turned into addresses.
public struct ResolverError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The name that was asked for.
    public let host: String
    /// The resolver's own words.
    public let reason: String
    /// One line.
    public var description: String { "\(host): \(reason)" }
}
