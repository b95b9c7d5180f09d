public import NIOCore
import Synchronization

/// Holds each address to a rate: a bucket of tokens for each, in a table of bounded size.
public final class AddressRates: Sendable {
    private struct Bucket {
        var tokens: Double
        var time: NIODeadline
    }

    /// Addresses remembered at once; a full table forgets those that have long been quiet.
    private static let rememberedAddresses = 65_536

    private let perSecond: Double
    private let burst: Double
    private let buckets = Mutex<[String: Bucket]>([:])

    /// Allows `perSecond` on average and `burst` at once after a pause.
    public init(perSecond: Int, burst: Int) {
        self.perSecond = Double(perSecond)
        self.burst = Double(burst)
    }

    /// Takes a token of `address`, if it has one left.
    public func take(_ address: String, at now: NIODeadline) -> Bool {
        let group = Self.group(address)
        return buckets.withLock { buckets in
            if buckets[group] == nil, buckets.count >= Self.rememberedAddresses {
                buckets = buckets.filter { filled($0.value, at: now) < burst }
                // All of them are busy: that many addresses at once are no single peer to hold back.
                if buckets.count >= Self.rememberedAddresses { return true }
            }
            var bucket = buckets[group] ?? Bucket(tokens: burst, time: now)
            bucket.tokens = filled(bucket, at: now)
            bucket.time = now
            let isAllowed = bucket.tokens >= 1
            if isAllowed { bucket.tokens -= 1 }
            buckets[group] = bucket
            return isAllowed
        }
    }

    private func filled(_ bucket: Bucket, at now: NIODeadline) -> Double {
        let seconds = Double((now - bucket.time).nanoseconds) / 1e9
        return min(burst, bucket.tokens + seconds * perSecond)
    }

    /// Who an address counts as: one customer mostly has a whole /64 of IPv6, so its first four groups, however
    /// they are written; a client by IPv4 is the same one on a socket of both kinds.
    public static func group(_ address: String) -> String {
        if address.hasPrefix("::ffff:"), address.contains(".") {
            return String(address.dropFirst(7))
        }
        guard address.contains(":") else { return address }
        let text = address.prefix { $0 != "%" }
        guard let gap = text.firstRange(of: "::") else {
            return text.split(separator: ":").prefix(4).joined(separator: ":")
        }
        let before = text[..<gap.lowerBound].split(separator: ":")
        let after = text[gap.upperBound...].split(separator: ":")
        let zeros = [Substring](
            repeating: "0", count: max(0, 8 - before.count - after.count))
        return (before + zeros + after).prefix(4).joined(separator: ":")
    }
}
