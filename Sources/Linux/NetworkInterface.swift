import Glibc

/// An address that one of this machine's network interfaces has.
public struct InterfaceAddress: Equatable, Sendable {
    /// The interface, such as `eth0`.
    public let interface: String
    /// The numeric address.
    public let address: String

    /// All addresses by which something beyond the next switch can be reached: no loopback, no
    /// link-local ones, no interface that is down.
    public static func all() -> [InterfaceAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var found: [InterfaceAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            let item = unsafe entry.pointee
            unsafe next = item.ifa_next
            let flags = unsafe Int(item.ifa_flags)
            guard flags & IFF_UP != 0, flags & IFF_LOOPBACK == 0,
                let address = unsafe item.ifa_addr, let text = unsafe numeric(address)
            else { continue }
            found.append(
                InterfaceAddress(interface: unsafe String(cString: item.ifa_name), address: text))
        }
        return found
    }

    private static func numeric(_ address: UnsafeMutablePointer<sockaddr>) -> String? {
        let length: Int
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        guard
            let text = unsafe SocketAddress.numericHost(UnsafePointer(address), socklen_t(length)),
            !text.hasPrefix("fe80:"), !text.hasPrefix("169.254.")
        else { return nil }
        return text
    }
}
