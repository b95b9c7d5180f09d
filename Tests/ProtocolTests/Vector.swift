import Bytes
import Foundation
import Testing

/// A file of `Vectors/`: `key: value` lines, a blank line, hexadecimal bytes.
struct Vector: Sendable, CustomTestStringConvertible {
    let name: String
    let keys: [String: String]
    let bytes: [UInt8]

    var testDescription: String { name }

    static let all: [Vector] = {
        let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Vectors")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted().compactMap { name in
            (try? String(contentsOf: directory.appending(path: name), encoding: .utf8)).flatMap {
                Vector(name: String(name.dropLast(4)), text: $0)
            }
        }
    }()

    static let frames = all.filter { $0.name.hasPrefix("frame-") }

    init?(name: String, text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let blank = lines.firstIndex(of: ""),
            let bytes = Hex.decode(lines[blank...].joined())
        else { return nil }
        var keys: [String: String] = [:]
        for line in lines[..<blank] {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let key = String(line[..<colon])
            guard keys[key] == nil else { return nil }
            keys[key] = String(line[colon...].dropFirst(2))
        }
        self.name = name
        self.keys = keys
        self.bytes = bytes
    }

    static func named(_ name: String) throws -> Vector {
        try #require(all.first { $0.name == name }, "no vector \(name)")
    }

    /// The bytes of a key, which must be there and hexadecimal.
    func hex(_ key: String) throws -> [UInt8] {
        let text = try #require(keys[key], "\(name) has no key \(key)")
        return try #require(Hex.decode(text))
    }

    /// Fails the run for a key that the test does not read, or one that it misses.
    func expectKeys(_ expected: Set<String>) {
        #expect(Set(keys.keys) == expected, "keys of \(name)")
    }
}
