import Bytes

/// What is known of a document beside itself; lies beside it as `NAME.meta`, one line of JSON.
struct EndorsementMetadata: Sendable, Equatable {
    /// The longest file of metadata, in bytes.
    static let limit = 4096

    /// Which document it is about.
    let object: EndorsementObject
    /// The URL it came from.
    let source: String
    /// When it came; seconds since 1970, UTC.
    let fetched: Int64
    /// ``EndorsementContent/digest`` of the document.
    let digest: FixedBytes<32>

    /// Puts metadata together.
    init(
        object: EndorsementObject, source: String, fetched: Int64, digest: FixedBytes<32>
    ) {
        self.object = object
        self.source = source
        self.fetched = fetched
        self.digest = digest
    }

    /// Reads exactly what ``encoded()`` writes; nil for anything else.
    init?(parsing bytes: [UInt8]) {
        guard let json = try? JSONReader.parse(bytes, limits: .init(byteCount: Self.limit)),
            let object = json["object"]?.string.flatMap({ EndorsementObject($0) }),
            let source = json["source"]?.string, let fetched = json["fetched"]?.integer,
            let digest = json["digest"]?.string.flatMap({ FixedBytes<32>(hex: $0) })
        else { return nil }
        self.init(object: object, source: source, fetched: Int64(fetched), digest: digest)
        guard encoded() == bytes else { return nil }
    }

    /// The line.
    func encoded() -> [UInt8] {
        let source = source.unicodeScalars.filter {
            (0x21...0x7e).contains($0.value) && $0 != "\"" && $0 != "\\"
        }
        let line =
            #"{"object":"\#(object)","source":"\#(String(String.UnicodeScalarView(source)))","#
            + #""fetched":\#(fetched),"digest":"\#(digest.hex)"}"#
        return Array((line + "\n").utf8)
    }
}
