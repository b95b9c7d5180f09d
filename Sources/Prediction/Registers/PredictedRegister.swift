public import Bytes

/// A measurement register while it is predicted: starts at zero, grows by what is measured into it.
public struct PredictedRegister: Sendable, Equatable {
    /// One measurement.
    public struct Event: Sendable, Equatable {
        /// What was measured, for a person.
        public let what: String
        /// The digest that the register was extended with.
        public let digest: [UInt8]
    }

    /// The hash of the register's bank.
    public let algorithm: HashAlgorithm
    /// What the register holds.
    public private(set) var value: [UInt8]
    /// What was measured, in order.
    public private(set) var events: [Event] = []

    /// A register that nothing was measured into.
    public init(_ algorithm: HashAlgorithm) {
        self.algorithm = algorithm
        value = [UInt8](repeating: 0, count: algorithm.size)
    }

    /// Extends the register with the digest of `data`.
    public mutating func measure(_ what: String, _ data: [UInt8], hashing: any Hashing) {
        extend(what, hashing.digest(algorithm, data), hashing: hashing)
    }

    /// Extends the register with a digest of its own bank.
    public mutating func extend(_ what: String, _ digest: [UInt8], hashing: any Hashing) {
        precondition(digest.count == algorithm.size)
        value = hashing.digest(algorithm, value + digest)
        events.append(Event(what: what, digest: digest))
    }
}
