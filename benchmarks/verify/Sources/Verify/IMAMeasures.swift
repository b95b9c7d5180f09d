import Bytes
import Evidence
import Foundation
import OpenSSL
import Verification

/// An IMA log as `c_gen_ima.py` writes it, with the register that it leads to and a snapshot that has all its
/// files; `data` is what the names of these files have in common.
enum IMAMeasures {
    /// How many entries come after those that were checked before.
    static let newEntries = 100

    /// The whole text, from an array, with a look-up for each entry.
    static func full(_ data: String) throws -> () -> Bool {
        let log = try file("\(data).log")
        let expectations = try expectations(data, table: data)
        return {
            var verifier = IMAVerifier(expectations)
            for start in stride(from: 0, to: log.count, by: partByteCount) {
                verifier.append(log[start..<min(start + partByteCount, log.count)])
            }
            return vouches(verifier.finish())
        }
    }

    /// The last entries of a log whose others were checked against an older quote.
    static func increment(_ data: String) throws -> () -> Bool {
        let log = try file("\(data).log")
        let expectations = try expectations(data, table: data)
        let lines = log.indices.filter { log[$0] == 0x0a }
        let end = lines[lines.count - newEntries - 1] + 1
        var earlier = expectations
        earlier.quoted = [.sha256: try register(after: log[..<end])]
        var place = IMAVerifier(earlier)
        place.append(log[..<end])
        guard vouches(place.finish()) else { throw CocoaError(.fileReadCorruptFile) }
        return { [place] in
            var verifier = place
            verifier.expect(quoted: expectations.quoted)
            verifier.append(log[end...])
            return vouches(verifier.finish())
        }
    }

    /// The most memory that this process had resident while it checked a log from its file, in MiB.
    ///
    /// The snapshot may be that of another log, called `table`: then the replay has to hold, and files are not found.
    static func peakMemory(_ data: String, table: String) throws -> Double {
        var verifier = IMAVerifier(try expectations(data, table: table))
        try parts("\(data).log") { verifier.append($0) }
        let result = verifier.finish()
        let holds =
            data == table ? vouches(result) : result.quotedCount == result.entryCount
        guard holds else { throw CocoaError(.fileReadCorruptFile) }
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let words = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?
            .split(whereSeparator: \.isWhitespace)
        guard let words, words.count == 3, let kib = Double(words[1]) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return kib / 1024
    }

    private static let partByteCount = 1 << 16

    private static func vouches(_ result: IMAResult) -> Bool {
        result.isAccepted && result.quotedCount == result.entryCount
    }

    private static func expectations(_ data: String, table: String) throws -> IMAExpectations {
        let text = try file("\(data).pcr")
        guard let value = Hex.decode(String(decoding: text, as: UTF8.self)) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        var expectations = IMAExpectations(quoted: [.sha256: value])
        expectations.reference = try reference(table)
        return expectations
    }

    private static func register(after log: ArraySlice<UInt8>) throws -> [UInt8] {
        var reader = IMALogReader(.ascii(.sha1))
        var state = RegisterState(.sha256)
        reader.append(log)
        while try reader.next() {
            state.extend(digestOf: reader.entry.data, count: reader.entry.dataByteCount)
        }
        return state.value
    }

    private static func file(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    private static func parts(_ path: String, _ take: (ArraySlice<UInt8>) throws -> Void) throws {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        while let part = try file.read(upToCount: partByteCount), !part.isEmpty {
            try take([UInt8](part)[...])
        }
    }

    private static func reference(_ data: String) throws -> RuntimeReference {
        var reader = SnapshotReader()
        try parts("\(data).snapshot") { try reader.append($0) }
        return try RuntimeReference(snapshot: try reader.finish())
    }
}
