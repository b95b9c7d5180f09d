import Bytes
import Evidence
import TestSupport
import Testing

/// Entries of `index.json` whose cases are about logs; they have inputs that are no strings.
struct LogVector: Sendable, CustomTestStringConvertible {
    let id: String
    let value: JSONValue

    var testDescription: String { id }
    var cases: [JSONValue] { value["expect"]?["cases"]?.array ?? [] }

    static func entries(_ kinds: Set<String>) throws -> [LogVector] {
        guard Vectors.arePresent else { return [] }
        let index = try JSONReader.parse(
            try Vectors.bytes("index.json"),
            limits: JSONReader.Limits(byteCount: 64 << 20, depth: 32, values: 1 << 22))
        return (index.array ?? []).compactMap { entry in
            guard let kind = entry["kind"]?.string, kinds.contains(kind),
                let id = entry["id"]?.string
            else { return nil }
            return LogVector(id: id, value: entry)
        }
    }

    /// The bytes of the first file of one of these roles.
    func file(_ roles: String...) throws -> [UInt8] {
        let files = value["files"]?.array ?? []
        let file = try #require(files.first { roles.contains($0["role"]?.string ?? "") })
        return try Vectors.bytes(try #require(file["path"]?.string))
    }

    /// The bytes of a file that a case names by the end of its path.
    func file(named name: String) throws -> [UInt8] {
        let files = value["files"]?.array ?? []
        let file = try #require(files.first { $0["path"]?.string?.hasSuffix("/" + name) ?? false })
        return try Vectors.bytes(try #require(file["path"]?.string))
    }
}

extension JSONValue {
    /// Bank, register, hexadecimal digits, as the index writes register values.
    var registerValues: RegisterValues {
        var values = RegisterValues()
        for bank in members ?? [] {
            guard let algorithm = HashAlgorithm(rawValue: bank.name) else { continue }
            for register in bank.value.members ?? [] {
                guard let number = Int(register.name) else { continue }
                values[algorithm, number] = register.value.string.flatMap { Hex.decode($0) }
            }
        }
        return values
    }
}
