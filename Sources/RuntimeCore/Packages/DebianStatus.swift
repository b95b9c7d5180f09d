import Evidence
import Linux

/// The stanzas of dpkg's `status`, one after the other (deb822(5), dpkg(1), "Package states").
struct DebianStatus: ~Copyable {
    /// One package whose files are there.
    struct Stanza {
        /// Without its files.
        var package: SnapshotPackage
        /// Paths with the MD5 digits that their package delivered.
        var configurationFiles: [([UInt8], [UInt8])]
    }

    private var lines: LineReader

    init(_ path: String) throws(SystemError) {
        lines = LineReader(try FileDescriptor(path, .read), maximumLine: 1 << 20)
    }

    /// The next package that is installed, or half so.
    mutating func next() throws(SystemError) -> Stanza? {
        var fields: [String: String] = [:]
        var files: [([UInt8], [UInt8])] = []
        var isInFiles = false
        var line: [UInt8] = []
        while true {
            let isMore = try lines.next(into: &line)
            if isMore, !line.isEmpty {
                if line.first == 0x20 {
                    if isInFiles, let file = Self.configurationFile(line) { files.append(file) }
                } else {
                    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
                    let name = String(decoding: line[..<colon], as: UTF8.self)
                    isInFiles = name == "Conffiles"
                    if Self.wanted.contains(name) {
                        let value = line[colon...].dropFirst().drop { $0 == 0x20 }
                        fields[name] = String(decoding: value, as: UTF8.self)
                    }
                }
                continue
            }
            if let package = Self.package(fields) {
                return Stanza(package: package, configurationFiles: files)
            }
            guard isMore else { return nil }
            fields = [:]
            files = []
        }
    }

    private static let wanted: Set<String> = ["Package", "Status", "Version", "Architecture"]

    private static func package(_ fields: [String: String]) -> SnapshotPackage? {
        guard let name = fields["Package"], let version = fields["Version"],
            let state = fields["Status"]?.split(separator: " ").last,
            state != "not-installed", state != "config-files"
        else { return nil }
        return SnapshotPackage(
            name: name, version: version, architecture: fields["Architecture"] ?? "all",
            manager: .dpkg)
    }

    /// ` /etc/x 0123…`, and `obsolete` behind it where the package no longer has it.
    private static func configurationFile(_ line: [UInt8]) -> ([UInt8], [UInt8])? {
        let words = line.split(separator: 0x20)
        guard words.count >= 2, words[0].first == UInt8(ascii: "/") else { return nil }
        return (Array(words[0]), Array(words[1]))
    }
}
