import Foundation
import NIOCore
import Synchronization

/// Counts connections and says which are too many, before any of them costs a handshake.
final class ConnectionLimits: Sendable {
    /// Why a connection is turned away.
    enum Excess {
        case connections
        case rate
    }

    private struct Bucket {
        var tokens: Double
        var time: NIODeadline
    }

    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var buckets: [String: Bucket] = [:]
    }

    /// Addresses remembered at once; a full table forgets those that have long been quiet.
    private static let rememberedAddresses = 65_536

    private let maximum: Int
    private let perSecond: Double
    private let burst: Double
    private let state = Mutex(State())

    init(maximum: Int, perSecond: Int, burst: Int) {
        self.maximum = maximum
        self.perSecond = Double(perSecond)
        self.burst = Double(burst)
    }

    /// Open connections.
    var count: Int { state.withLock { $0.channels.count } }

    /// The channels of the open connections.
    var channels: [any Channel] { state.withLock { Array($0.channels.values) } }

    /// Counts `channel` in, or says why not.
    func admit(_ channel: any Channel, from address: String, at now: NIODeadline) -> Excess? {
        state.withLock { state in
            guard state.channels.count < maximum else { return .connections }
            guard take(Self.group(address), at: now, &state) else { return .rate }
            state.channels[ObjectIdentifier(channel)] = channel
            return nil
        }
    }

    /// Counts `channel` out.
    func dismiss(_ channel: any Channel) {
        state.withLock { $0.channels[ObjectIdentifier(channel)] = nil }
    }

    private func take(_ address: String, at now: NIODeadline, _ state: inout State) -> Bool {
        if state.buckets[address] == nil, state.buckets.count >= Self.rememberedAddresses {
            let full = burst
            state.buckets = state.buckets.filter { filled($0.value, at: now) < full }
            // All of them are busy: that many addresses at once are no single peer to hold back.
            if state.buckets.count >= Self.rememberedAddresses { return true }
        }
        var bucket = state.buckets[address] ?? Bucket(tokens: burst, time: now)
        bucket.tokens = filled(bucket, at: now)
        bucket.time = now
        let isAllowed = bucket.tokens >= 1
        if isAllowed { bucket.tokens -= 1 }
        state.buckets[address] = bucket
        return isAllowed
    }

    private func filled(_ bucket: Bucket, at now: NIODeadline) -> Double {
        let seconds = Double((now - bucket.time).nanoseconds) / 1e9
        return min(burst, bucket.tokens + seconds * perSecond)
    }

    /// One customer mostly has a whole /64 of IPv6: its first four groups, however they are written.
    static func group(_ address: String) -> String {
        guard address.contains(":") else { return address }
        let text = address.prefix { $0 != "%" }
        guard let gap = text.range(of: "::") else {
            return text.split(separator: ":").prefix(4).joined(separator: ":")
        }
        let before = text[..<gap.lowerBound].split(separator: ":")
        let after = text[gap.upperBound...].split(separator: ":")
        let zeros = [Substring](
            repeating: "0", count: max(0, 8 - before.count - after.count))
        return (before + zeros + after).prefix(4).joined(separator: ":")
    }
}
