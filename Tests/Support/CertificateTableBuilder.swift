import Bytes

/// Makes the bytes of a GHCB certificate table, also of one that is wrong.
public struct CertificateTableBuilder: Sendable {
    private var entries: [(guid: [UInt8], offset: UInt32, length: UInt32)] = []
    private var data: [UInt8] = []
    private let headerByteCount: Int

    /// Room for `count` entries and the last one of zeros.
    public init(entryCount count: Int) {
        headerByteCount = (count + 1) * 24
    }

    /// Adds a certificate; `guid` in hexadecimal digits, in the order of the bytes.
    public mutating func add(_ guid: String, _ certificate: [UInt8]) {
        addEntry(
            guid, offset: UInt32(headerByteCount + data.count), length: UInt32(certificate.count))
        data += certificate
    }

    /// Adds an entry that points anywhere.
    public mutating func addEntry(_ guid: String, offset: UInt32, length: UInt32) {
        entries.append((Hex.decode(guid) ?? [], offset, length))
    }

    /// The table.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        for entry in entries {
            writer.raw(entry.guid)
            writer.littleEndian(entry.offset)
            writer.littleEndian(entry.length)
        }
        writer.zeros(max(0, headerByteCount - writer.bytes.count))
        writer.raw(data)
        return writer.bytes
    }
}
