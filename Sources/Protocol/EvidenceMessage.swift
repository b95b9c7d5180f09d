public import Bytes

/// One part of the evidence; its bytes are opaque to the protocol.
public struct EvidenceItem: Equatable, Sendable {
    /// What the bytes are.
    public enum Content: UInt8, Sendable, CaseIterable {
        /// A hardware report or quote.
        case report = 1
        /// The GHCB certificate table, as the host gave it.
        case certificateTable = 2
        /// A measured-boot event log: CCEL of a TDX guest, else the TPM's.
        case eventLog = 3
        /// TPMS_ATTEST of a TPM quote; its extraData is SHA-256(binding).
        case tpmQuote = 4
        /// TPMT_SIGNATURE over ``tpmQuote``.
        case tpmSignature = 5
        /// TPMT_PUBLIC of the key that signed ``tpmQuote``.
        case tpmPublic = 6
        /// What the quoted registers hold, bank by bank.
        case pcrValues = 7
        /// The attestation report of Azure's paravisor, NV index 0x01400001.
        case hclReport = 8
        /// The services' manifest that an SVSM's report covers.
        case manifest = 9
        /// A chain of DER certificates of the TPM's key, leaf first.
        case keyCertificate = 10
        /// A chain of PEM certificates from a host's metadata service; nobody vouches for it.
        case imdsCertificates = 11
        /// What a running VM says of itself; its SHA-256 is `header_digest` of the report's HELLO.
        case statement = 12

        /// The longest item of this content, in bytes.
        public var maximumLength: Int {
            self == .statement ? 16 * 1024 : EvidenceItem.maximumLength
        }
    }

    /// The longest item of any content, in bytes.
    public static let maximumLength = 1 << 18

    /// What the bytes are.
    public let content: Content
    /// The bytes, unchanged.
    public let data: [UInt8]

    /// One part; its length is judged by ``EvidenceMessage``.
    public init(_ content: Content, _ data: [UInt8]) {
        self.content = content
        self.data = data
    }
}

/// What the platform says about the attester, over the binding.
public struct EvidenceMessage: Message, Equatable {
    /// EVIDENCE.
    public static let type = MessageType.evidence

    /// The platform's way to sign.
    public let kind: EvidenceKind
    /// TPM name of the attestation key, or empty where no TPM key is part of the evidence.
    public let attestationKeyName: [UInt8]
    /// The parts: ascending by content, no content twice, the report always there.
    public let items: [EvidenceItem]

    /// Judges lengths and order, since the parts may come from a host.
    public init(
        kind: EvidenceKind, attestationKeyName: [UInt8] = [], items: [EvidenceItem]
    ) throws(ParseError) {
        try Self.judge(attestationKeyName, items)
        self.kind = kind
        self.attestationKeyName = attestationKeyName
        self.items = items
    }

    /// Parses exactly one body.
    public init(parsing body: [UInt8]) throws(ParseError) {
        self = try body.parse("EVIDENCE") { reader throws(ParseError) in
            let kind: EvidenceKind = try reader.known("kind")
            let name = try reader.opaque("attestation_key_name", lengthBytes: 1, within: 0...128)
            let length = try reader.bigEndian("items", byteCount: 3, as: UInt32.self)
            guard reader.remaining >= length else {
                throw .truncated(
                    field: "items", needed: Int(length), available: reader.remaining)
            }
            let end = reader.remaining - Int(length)
            var items: [EvidenceItem] = []
            while reader.remaining > end {
                let content: EvidenceItem.Content = try reader.known("items.type")
                let data = try reader.opaque(
                    "items.data", lengthBytes: 3, within: 0...content.maximumLength)
                items.append(EvidenceItem(content, data))
                guard items.count <= EvidenceItem.Content.allCases.count else {
                    throw .invalid(field: "items", rule: "expected no content twice")
                }
            }
            guard reader.remaining == end else {
                throw .invalid(field: "items", rule: "expected the last item to end with the list")
            }
            return try EvidenceMessage(kind: kind, attestationKeyName: name, items: items)
        }
    }

    /// The data of the item of `content`, if there is one.
    public func data(_ content: EvidenceItem.Content) -> [UInt8]? {
        items.first { $0.content == content }?.data
    }

    /// Judges what belongs to one purpose alone: a report carries the statement that `hello` names, a
    /// launch carries none.
    func judgeStatement(for hello: Hello, _ hashing: any Hashing) throws(SessionError) {
        let statement = data(.statement)
        switch hello.purpose {
        case .launch where statement != nil:
            throw .malformed(
                .evidence, .invalid(field: "items", rule: "expected no statement for a launch"))
        case .runtime where statement.map(hashing.sha256) != hello.headerDigest:
            throw .malformed(
                .evidence,
                .invalid(
                    field: "items", rule: "expected the statement that HELLO's header_digest names")
            )
        case .launch, .runtime: return
        }
    }

    /// The body.
    public func encoded() -> [UInt8] {
        var list = ByteWriter()
        for item in items {
            list.uint8(item.content.rawValue)
            list.opaque(item.data, lengthBytes: 3)
        }
        var writer = ByteWriter()
        writer.uint8(kind.rawValue)
        writer.opaque(attestationKeyName, lengthBytes: 1)
        writer.opaque(list.bytes, lengthBytes: 3)
        return writer.bytes
    }

    private static func judge(_ name: [UInt8], _ items: [EvidenceItem]) throws(ParseError) {
        guard name.count <= 128 else {
            throw .lengthOutOfBounds(
                field: "attestation_key_name", length: name.count, minimum: 0, maximum: 128)
        }
        guard items.first?.content == .report else {
            throw .invalid(field: "items", rule: "expected a report as the first item")
        }
        for (item, next) in zip(items, items.dropFirst())
        where item.content.rawValue >= next.content.rawValue {
            throw .invalid(field: "items", rule: "expected ascending types without duplicates")
        }
        for item in items where item.data.count > item.content.maximumLength {
            throw .lengthOutOfBounds(
                field: "items.data", length: item.data.count, minimum: 0,
                maximum: item.content.maximumLength)
        }
        let length = items.reduce(5 + name.count) { $0 + 4 + $1.data.count }
        guard length <= type.maximumBodyLength else {
            throw .lengthOutOfBounds(
                field: "EVIDENCE", length: length, minimum: 0, maximum: type.maximumBodyLength)
        }
    }
}
