import NIOCore
import NIOEmbedded
import Testing

@testable import NetIO

@Suite("Connection limits")
struct ConnectionLimitsTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test("one address is held to its rate, and others are not")
    func rate() {
        let limits = ConnectionLimits(maximum: 100, perSecond: 2, burst: 3)
        func admit(_ address: String, _ milliseconds: Int64) -> Bool {
            limits.admit(EmbeddedChannel(), from: address, at: start + .milliseconds(milliseconds))
                == nil
        }
        #expect((0..<4).map { _ in admit("203.0.113.7", 0) } == [true, true, true, false])
        #expect(admit("203.0.113.8", 0))
        #expect(!admit("203.0.113.7", 499))
        #expect(admit("203.0.113.7", 500))
        #expect(!admit("203.0.113.7", 501))
    }

    @Test("no more are open than may be, until one is gone")
    func maximum() {
        let limits = ConnectionLimits(maximum: 1, perSecond: 1000, burst: 1000)
        let first = EmbeddedChannel()
        #expect(limits.admit(first, from: "203.0.113.7", at: start) == nil)
        let excess = limits.admit(EmbeddedChannel(), from: "203.0.113.8", at: start)
        #expect(excess == .connections)
        limits.dismiss(first)
        #expect(limits.count == 0)
        #expect(limits.admit(EmbeddedChannel(), from: "203.0.113.8", at: start) == nil)
    }

    @Test("one address has its share and no more, until one of its connections is gone")
    func share() {
        let limits = ConnectionLimits(maximum: 10, perAddress: 1, perSecond: 1000, burst: 1000)
        let first = EmbeddedChannel()
        #expect(limits.admit(first, from: "203.0.113.7", at: start) == nil)
        #expect(
            limits.admit(EmbeddedChannel(), from: "203.0.113.7", at: start) == .connections)
        let other = EmbeddedChannel()
        #expect(limits.admit(other, from: "203.0.113.8", at: start) == nil)
        limits.dismiss(first)
        limits.dismiss(first)
        #expect(limits.admit(EmbeddedChannel(), from: "203.0.113.7", at: start) == nil)
        #expect(limits.count == 2)
    }

    @Test(
        "IPv6 addresses count by their /64, and IPv4 ones as themselves on a socket of both kinds",
        arguments: [
            ("2001:db8:1:2::1", "2001:db8:1:2"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"),
            ("2001:db8::1", "2001:db8:0:0"), ("::1", "0:0:0:0"), ("fe80::1%eth0", "fe80:0:0:0"),
            ("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::ffff:1:2", "0:0:0:0"),
        ])
    func groups(address: String, group: String) {
        #expect(AddressRates.group(address) == group)
    }
}
