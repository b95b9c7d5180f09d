import Bytes

/// Writes a snapshot part by part, for a program that has neither room for all of it nor knows all of it
/// before: header, then files, then details, then packages.
///
/// What has been written waits in ``bytes`` until it is taken.
public struct SnapshotWriter: Sendable {
    private enum Place { case noFiles, files, packages, end }

    /// What was written and not taken yet.
    public private(set) var bytes: [UInt8] = []
    private var place: Place
    private var isFirst = true

    /// Begins a snapshot.
    ///
    /// - Parameter hasFiles: false where no files were recorded, which is another thing than no files.
    public init(_ header: SnapshotHeader, hasFiles: Bool = true) {
        place = hasFiles ? .files : .noFiles
        let cloud = header.cloudType.map(JSONString.quoted) ?? "null"
        add("{\"cloud_type\":\(cloud),\n\"tee_policy\":\(header.teePolicy?.json ?? "null"),\n")
        add("\"tpm_policy\":\(header.tpmPolicy?.json ?? "null"),\n\"filehashes\":")
        add(hasFiles ? "[" : "null")
    }

    /// Gives what waits, which is then no longer there.
    public mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    /// Adds a pair; the path is written as ``SnapshotPath`` has it.
    ///
    /// - Parameter path: 1 to ``SnapshotPath/maximumByteCount`` bytes.
    /// - Parameter digest: of the size of a SHA-1 or SHA-2 digest.
    public mutating func file(path: some Sequence<UInt8>, digest: some Sequence<UInt8>) {
        precondition(place == .files)
        add(isFirst ? "\n[" : ",\n[")
        isFirst = false
        quote(SnapshotPath.normalized(path))
        add(",\"")
        for byte in digest {
            bytes.append(Self.digit(byte >> 4))
            bytes.append(Self.digit(byte & 0x0f))
        }
        add("\"]")
    }

    /// Ends the files and writes what only our snapshots have. Without it, ``end()`` makes one of Cosmian's.
    public mutating func details(_ details: SnapshotDetails) {
        endFiles()
        place = .packages
        isFirst = true
        add(",\n\"bootgate\":{\(details.json),\n\"packages\":[")
    }

    /// Adds a package.
    public mutating func package(_ package: SnapshotPackage) {
        precondition(place == .packages)
        add(isFirst ? "\n" : ",\n")
        isFirst = false
        let texts = [
            ("name", package.name), ("version", package.version),
            ("architecture", package.architecture), ("manager", package.manager.rawValue),
        ]
        let members = texts.map { "\"\($0)\":\(JSONString.quoted($1))" }
        add("{\(members.joined(separator: ",")),\"files\":[")
        var isFirstPath = true
        for path in package.pathLines.split(separator: 0x0a) {
            if !isFirstPath { add(",") }
            isFirstPath = false
            quote(Array(path))
        }
        add("]}")
    }

    /// Ends the snapshot.
    public mutating func end() {
        if place == .packages { add("]}") } else { endFiles() }
        place = .end
        add("}\n")
    }

    private mutating func endFiles() {
        precondition(place == .files || place == .noFiles)
        if place == .files { add("]") }
    }

    private mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// A path that has no controls and is UTF-8.
    private mutating func quote(_ path: [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in path {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                bytes.append(UInt8(ascii: "\\"))
            }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}

extension Snapshot {
    /// Writes it again, in parts that are given away as they come.
    ///
    /// - Parameter isForCosmian: whether to leave out what `cosmian_vm` does not know.
    public func write<Failure: Error>(
        isForCosmian: Bool = false, _ sink: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        var writer = SnapshotWriter(header, hasFiles: files != nil)
        try files?.forEach { bytes, name, digest throws(Failure) in
            writer.file(path: bytes[name], digest: bytes[digest])
            if writer.bytes.count > 65536 { try sink(writer.take()) }
        }
        if let details, !isForCosmian {
            writer.details(details)
            for package in packages {
                writer.package(package)
                if writer.bytes.count > 65536 { try sink(writer.take()) }
            }
        }
        writer.end()
        try sink(writer.take())
    }
}
