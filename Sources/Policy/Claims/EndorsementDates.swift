/// When something that a vendor signed was issued, and when its successor is due.
public struct EndorsementDates: Sendable, Equatable {
    /// `thisUpdate` or `issueDate`, Unix seconds.
    public let issued: Int64
    /// `nextUpdate`, Unix seconds.
    public let nextUpdate: Int64

    /// Takes both as they were signed.
    public init(issued: Int64, nextUpdate: Int64) {
        self.issued = issued
        self.nextUpdate = nextUpdate
    }

    /// The older issue and the earlier due date of two.
    public func earliest(with other: Self) -> Self {
        Self(issued: min(issued, other.issued), nextUpdate: min(nextUpdate, other.nextUpdate))
    }
}
