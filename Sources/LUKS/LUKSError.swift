/// Why libcryptsetup did not do what was asked.
public enum LUKSError: Error, Equatable, Sendable {
    /// The keyslot exists and the passphrase does not open it.
    case keyslotRefusedKey(keyslot: Int?)
    /// There is no such keyslot or it is not in use.
    case noSuchKeyslot(keyslot: Int)
    /// Any other failure; `message` is libcryptsetup's own, without secrets.
    case failed(operation: String, errno: Int32, message: String)
}

extension LUKSError: CustomStringConvertible {
    /// One line: what failed and why.
    public var description: String {
        switch self {
        case .keyslotRefusedKey(let keyslot?): "keyslot \(keyslot) does not open with this key"
        case .keyslotRefusedKey(nil): "no keyslot opens with this passphrase"
        case .noSuchKeyslot(let keyslot): "keyslot \(keyslot) is not in use"
        case .failed(let operation, let errno, let message):
            message.isEmpty
                ? "\(operation) failed (errno \(errno))"
                : "\(operation) failed (errno \(errno)): \(message)"
        }
    }
}
