import Bytes
public import Foundation

/// Files that tests read beside their own sources.
public enum TestFiles {
    /// Real attestation evidence, which is not part of the project: `BOOTGATE_VECTORS`, or the folder
    /// beside a checkout; nil where there is none, and tests that want it are then left out.
    public static let vectors: URL? = {
        let named = ProcessInfo.processInfo.environment["BOOTGATE_VECTORS"]
        let folder =
            named.map { URL(fileURLWithPath: $0) }
            ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../shared/vectors").standardized
        let index = folder.appendingPathComponent("index.json")
        return FileManager.default.fileExists(atPath: index.path) ? folder : nil
    }()

    /// The bytes of a file.
    public static func bytes(_ file: URL) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: file))
    }
}

/// A golden vector: `key: value` lines, a blank line, hexadecimal digits.
public struct GoldenVector: Sendable {
    /// The values by their keys.
    public let fields: [String: String]
    /// What the digits stand for.
    public let bytes: [UInt8]

    /// Why a file is no vector.
    public struct Malformed: Error {
        /// The file's name.
        public let file: String
    }

    /// Reads `name` from the folder `Vectors` beside the source file `file`.
    public init(_ name: String, beside file: String = #filePath) throws {
        let url = URL(fileURLWithPath: file).deletingLastPathComponent()
            .appendingPathComponent("Vectors/\(name)")
        let parts = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n\n")
        var fields: [String: String] = [:]
        for line in parts[0].split(separator: "\n") {
            guard let colon = line.firstRange(of: ": ") else { throw Malformed(file: name) }
            fields[String(line[..<colon.lowerBound])] = String(line[colon.upperBound...])
        }
        guard parts.count == 2,
            let bytes = Hex.decode(parts[1].filter { !$0.isNewline })
        else { throw Malformed(file: name) }
        self.fields = fields
        self.bytes = bytes
    }
}
