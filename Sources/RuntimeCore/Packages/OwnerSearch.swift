import AgentAPI
import Bytes
import Evidence
import Linux
import OpenSSL

/// Paths whose packages are looked for, and what was found of them.
struct OwnerSearch {
    /// A digest that a package has of one of its files.
    enum Delivered {
        case md5([UInt8])
        case sha(HashAlgorithm, [UInt8])

        /// Tells the function by the size; nil for another.
        init?(_ digits: [UInt8]) {
            guard let bytes = Hex.decode(String(decoding: digits, as: UTF8.self)) else {
                return nil
            }
            if bytes.count == 16 {
                self = .md5(bytes)
            } else if let hash = HashAlgorithm.allCases.first(where: { $0.size == bytes.count }) {
                self = .sha(hash, bytes)
            } else {
                return nil
            }
        }
    }

    private var places: [[UInt8]: [Int]] = [:]
    private var owners: [OwnersAnswer.Owner]

    init(_ paths: [String]) {
        owners = paths.map { OwnersAnswer.Owner(path: $0) }
        for (index, path) in paths.enumerated() {
            places[SnapshotPath.normalized(path.utf8), default: []].append(index)
        }
    }

    var answer: OwnersAnswer { OwnersAnswer(owners: owners) }

    /// Whether the path, as its package has it, is looked for.
    func wants(_ path: [UInt8]) -> Bool {
        places[SnapshotPath.normalized(path)] != nil
    }

    /// Notes whose a path is.
    mutating func note(_ path: [UInt8], _ package: SnapshotPackage) {
        for index in places[SnapshotPath.normalized(path)] ?? [] {
            owners[index].package = package.name
            owners[index].version = package.version
            owners[index].architecture = package.architecture
        }
    }

    /// Compares a file with what its package says of it; what cannot be read is not said to be either.
    mutating func compare(_ path: [UInt8], below root: String, with delivered: Delivered) {
        guard let indices = places[SnapshotPath.normalized(path)],
            let digest = Self.digest(of: path, below: root, delivered)
        else { return }
        for index in indices { owners[index].isAsDelivered = digest }
    }

    private static func digest(
        of path: [UInt8], below root: String, _ delivered: Delivered
    ) -> Bool? {
        let name = root + String(decoding: path, as: UTF8.self)
        guard let file = try? FileDescriptor(name, .readUnlinked) else { return nil }
        switch delivered {
        case .md5(let expected):
            guard let function = RunningHash.md5() else { return nil }
            return compare(file, function, expected)
        case .sha(let hash, let expected): return compare(file, RunningHash(hash), expected)
        }
    }

    private static func compare(
        _ file: borrowing FileDescriptor, _ function: consuming RunningHash, _ expected: [UInt8]
    ) -> Bool? {
        var hasher = FileHasher(function)
        guard case .digest(let digest) = try? hasher.hash(file) else { return nil }
        return digest == expected
    }
}
