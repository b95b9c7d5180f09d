public import NIOCore
import Synchronization

/// Counts connections and says which are too many, before any of them costs a handshake.
public final class ConnectionLimits: Sendable {
    /// Why a connection is turned away.
    public enum Excess: Sendable {
        /// As many are open as may be.
        case connections
        /// The address makes new ones too quickly.
        case rate
    }

    private struct State {
        var channels: [ObjectIdentifier: (channel: any Channel, address: String)] = [:]
        var byAddress: [String: Int] = [:]
    }

    private let maximum: Int
    private let perAddress: Int
    private let rates: AddressRates
    private let open = Mutex(State())

    /// At most `maximum` connections, `perAddress` of them from one address, which may make `perSecond` new
    /// ones on average and `burst` at once.
    public init(maximum: Int, perAddress: Int = .max, perSecond: Int, burst: Int) {
        self.maximum = maximum
        self.perAddress = perAddress
        rates = AddressRates(perSecond: perSecond, burst: burst)
    }

    /// Open connections.
    public var count: Int { open.withLock { $0.channels.count } }

    /// The channels of the open connections.
    public var channels: [any Channel] { open.withLock { $0.channels.values.map(\.channel) } }

    /// Counts `channel` in, or says why not.
    public func admit(
        _ channel: any Channel, from address: String, at now: NIODeadline
    ) -> Excess? {
        let group = AddressRates.group(address)
        return open.withLock { open in
            let mine = open.byAddress[group, default: 0]
            guard open.channels.count < maximum, mine < perAddress else { return .connections }
            guard rates.take(address, at: now) else { return .rate }
            open.channels[ObjectIdentifier(channel)] = (channel, group)
            open.byAddress[group] = mine + 1
            return nil
        }
    }

    /// Counts `channel` out.
    public func dismiss(_ channel: any Channel) {
        open.withLock { open in
            guard let gone = open.channels.removeValue(forKey: ObjectIdentifier(channel)) else {
                return
            }
            let left = open.byAddress[gone.address, default: 1] - 1
            open.byAddress[gone.address] = left > 0 ? left : nil
        }
    }
}
