public import Bytes

/// The table of certificates that a host hands to a guest beside a report.
///
/// Layout: GHCB specification (AMD publication 56421), SNP Extended Guest Request: entries of GUID,
/// offset and length, ended by one of zeros, then the certificates. Entries with a GUID that is not
/// listed here are passed over, as the document tells readers to; whatever a table claims counts for
/// nothing until the chain is checked.
public struct SNPCertificateTable: Sendable, Equatable {
    /// The largest table that is read.
    public static let maximumByteCount = 64 * 1024
    /// The most entries that are read, not counting the last one of zeros.
    public static let maximumEntries = 32

    /// Of the chip's own key, DER.
    public private(set) var vcek: [UInt8]?
    /// Of a provider's key, DER.
    public private(set) var vlek: [UInt8]?
    /// Of the key that signed the VCEK or VLEK, DER. The ASVK has no GUID of its own: hosts with a
    /// VLEK put it here, and the chain says whether it is the right one of the two.
    public private(set) var ask: [UInt8]?
    /// Of AMD's root key, DER.
    public private(set) var ark: [UInt8]?
    /// The revocation list of AMD's root key, DER.
    public private(set) var revocationList: [UInt8]?

    /// Reads a whole table; bytes that no entry names are ignored, since hosts pad to pages.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw .lengthOutOfBounds(
                field: "certificate table", length: bytes.count, minimum: 0,
                maximum: Self.maximumByteCount)
        }
        // A host without certificates gives an empty table, or one of nothing but zeros.
        guard !bytes.isEmpty else { return }
        let (entries, headerByteCount) = try Self.entries(bytes)
        for entry in entries {
            // Compared without adding to a value from the wire, so nothing can overflow.
            guard entry.offset >= headerByteCount, entry.offset <= bytes.count,
                entry.length <= bytes.count - entry.offset
            else {
                throw .invalid(
                    field: "\(entry.name) entry",
                    rule: "offset \(entry.offset) and length \(entry.length) must lie behind the "
                        + "\(headerByteCount) bytes of entries and within \(bytes.count)")
            }
            guard let kind = entry.kind else { continue }
            let data = Array(bytes[entry.offset..<entry.offset + entry.length])
            try store(kind, data)
        }
    }

    private mutating func store(_ kind: Kind, _ data: [UInt8]) throws(ParseError) {
        switch kind {
        case .vcek: vcek = try Self.certificate(data, named: "VCEK")
        case .vlek: vlek = try Self.certificate(data, named: "VLEK")
        case .ask: ask = try Self.certificate(data, named: "ASK")
        case .ark: ark = try Self.certificate(data, named: "ARK")
        case .crl: revocationList = try Self.revocationList(data)
        }
    }
}

extension SNPCertificateTable {
    private enum Kind: String, CaseIterable {
        case vcek = "63da758de6644564adc5f4b93be8accd"
        case vlek = "a8074bc2a25a483eaae639c045a0b8a1"
        case ask = "4ab7b379bbac4fe4a02f05aef327c782"
        case ark = "c0b406a4a803495297433fb6014cd0ae"
        case crl = "92f81bc358114d3d97ffd19f88dc67ea"
    }

    private struct Entry {
        let guid: FixedBytes<16>
        let offset: Int
        let length: Int

        var kind: Kind? { Kind(rawValue: guid.hex) }
        var name: String { kind.map { "\($0)".uppercased() } ?? "GUID \(guid.hex)" }
    }

    /// The entries in front of the terminator, and the size of all of them with it.
    ///
    /// GUIDs are in network byte order, as real tables have them, not in the mixed order of EFI.
    private static func entries(
        _ bytes: [UInt8]
    ) throws(ParseError) -> (entries: [Entry], byteCount: Int) {
        var reader = unsafe ByteReader(bytes.span.bytes)
        var entries: [Entry] = []
        while true {
            let guid = try reader.fixed("certificate table GUID", as: FixedBytes<16>.self)
            let offset = try reader.littleEndian("certificate table offset", as: UInt32.self)
            let length = try reader.littleEndian("certificate table length", as: UInt32.self)
            if guid.isZero, offset == 0, length == 0 {
                return (entries, bytes.count - reader.remaining)
            }
            guard entries.count < maximumEntries else {
                throw .invalid(
                    field: "certificate table", rule: "has at most \(maximumEntries) entries")
            }
            let entry = Entry(guid: guid, offset: Int(offset), length: Int(length))
            guard !entries.contains(where: { $0.guid == guid }) else {
                throw .invalid(field: "\(entry.name) entry", rule: "must not occur twice")
            }
            entries.append(entry)
        }
    }

    /// AMD publishes its lists in DER only.
    private static func revocationList(_ data: [UInt8]) throws(ParseError) -> [UInt8] {
        guard data.first == 0x30 else {
            throw .invalid(field: "CRL", rule: "must be one in DER")
        }
        return data
    }

    /// DER from DER or PEM: the table says nothing of the encoding, and hosts use both.
    private static func certificate(
        _ data: [UInt8], named name: String
    ) throws(ParseError) -> [UInt8] {
        guard let der = PEM.certificate(data) else {
            throw .invalid(field: "\(name) certificate", rule: "must be one in DER or PEM")
        }
        return der
    }
}
