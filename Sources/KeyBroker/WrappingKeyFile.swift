import BrokerCore
import Bytes
import Linux

/// Why the broker does not start, in one line.
struct StartError: Error, CustomStringConvertible {
    /// What the exit code says.
    enum Kind: Int32 {
        /// A file or setting cannot be used.
        case unusable = 2
        /// Something outside cannot be had: an address, the disk.
        case unavailable = 69
        /// The broker's own fault.
        case `internal` = 70
    }

    var kind: Kind
    var description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

/// Reads the key that all other keys are sealed under.
enum WrappingKeyFile {
    /// The name of the systemd credential that is taken where the config names no file.
    static let credential = "wrapping-key"

    static func read(_ configured: String?) throws -> SecretBytes {
        let path: String
        if let configured {
            path = configured
        } else if let directory = Process.environment("CREDENTIALS_DIRECTORY") {
            path = "\(directory)/\(credential)"
        } else {
            throw StartError(
                .unusable,
                "keys.wrapping_key: expected a file, or the systemd credential \(credential)")
        }
        let file = try Linux.FileDescriptor(path, .read)
        // systemd guards its credentials by an ACL, of which the mode shows only the mask.
        if configured != nil { try checkOwner(of: file, path) }
        let count = KeyEnvelope.wrappingKeyCount
        let key = try File.readSecret(descriptor: file.rawValue, atMost: count + 1)
        guard key.count == count else {
            throw StartError(
                .unusable,
                "\(path): expected a wrapping key of exactly \(count) bytes, got \(size(key.count))"
            )
        }
        return key
    }

    private static func size(_ count: Int) -> String {
        count > KeyEnvelope.wrappingKeyCount ? "more" : "\(count)"
    }

    /// Refuses a secret that anybody but its owner could have read or replaced.
    static func checkOwner(of file: borrowing Linux.FileDescriptor, _ path: String) throws {
        let status = try FileStatus(of: file)
        guard status.isRegular else {
            throw StartError(.unusable, "\(path): expected a regular file")
        }
        guard status.owner == Process.userID else {
            throw StartError(
                .unusable,
                "\(path): expected owner \(Process.userID), the broker's user, got \(status.owner)")
        }
        guard status.mode & 0o177 == 0 else {
            throw StartError(
                .unusable,
                "\(path): expected mode 0600, got 0\(String(status.mode, radix: 8)); chmod 600 it")
        }
    }
}
