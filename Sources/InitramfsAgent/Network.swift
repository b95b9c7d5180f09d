import Linux
import Protocol

/// The network as early boot finds it.
enum Network {
    /// How long a launch waits for an address before it tries to connect anyway.
    private static let patience: UInt64 = 20_000

    /// Waits until an interface has an address; nil where none came, or none is needed.
    static func wait(for brokers: [BrokerAddress]) -> InterfaceAddress? {
        // Brokers on this very machine are those of a rehearsal.
        guard !brokers.allSatisfy({ isLoopback($0.host) }) else { return nil }
        let end = Clock.monotonicMilliseconds + patience
        while Clock.monotonicMilliseconds < end {
            if let address = InterfaceAddress.all().first { return address }
            Clock.sleep(milliseconds: 20)
        }
        return nil
    }

    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    /// Tells the C library which name servers systemd-networkd has learnt, where nobody else did.
    static func provideNameServers(
        state: String = "/run/systemd/netif/state", resolver: String = "/etc/resolv.conf"
    ) {
        guard !File.exists(resolver), let bytes = try? File.read(state, atMost: 65536) else {
            return
        }
        let servers = nameServers(inState: String(decoding: bytes, as: UTF8.self))
        guard !servers.isEmpty else { return }
        // A dead server must not hold up addresses that need none.
        let lines = servers.prefix(3).map { "nameserver \($0)" } + ["options timeout:1 attempts:2"]
        try? File.writeAtomically(
            resolver, Array((lines.joined(separator: "\n") + "\n").utf8), mode: 0o644)
    }

    static func nameServers(inState state: String) -> [String] {
        for line in state.split(separator: "\n") where line.hasPrefix("DNS=") {
            return line.dropFirst(4).split(separator: " ").map(String.init)
        }
        return []
    }
}
