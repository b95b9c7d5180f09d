/// Why the store did not do what it was asked; nothing was changed then.
public enum StoreError: Error, Equatable, Sendable {
    /// The database cannot be opened, read or written; `reason` is SQLite's.
    case unavailable(reason: String)
    /// A stored value is none that this version writes.
    case corrupt(table: String, column: String)
    /// Something that has to exist first does not.
    case missing(what: String, name: String)
    /// Somebody else changed it in between, or it is in use.
    case conflict(what: String, name: String)
}

extension StoreError: CustomStringConvertible {
    /// One line for an owner.
    public var description: String {
        switch self {
        case .unavailable(let reason): "the store is not available: \(reason)"
        case .corrupt(let table, let column): "\(table).\(column): holds a value of no known form"
        case .missing(let what, let name): "there is no \(what) named \(name)"
        case .conflict(let what, let name): "\(what) \(name) is in use or has just been changed"
        }
    }
}
