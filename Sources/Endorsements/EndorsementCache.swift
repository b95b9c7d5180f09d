import Bytes
import Evidence
import Linux
import OpenSSL

/// A directory of endorsements: what the owner put there, what a bundle brought, what was fetched.
///
/// `docs/endorsements.md` has its layout. Documents lie as their vendor sent them. Beside one that was
/// fetched or imported lie `NAME.meta` (when, from where) and, where the vendor sends them, the
/// certificates of its issuers as `NAME.issuers`. Any number of threads and processes may use it: a
/// file is replaced in one step, and metadata count only with the very files they were made for.
public struct EndorsementCache: Sendable {
    /// A document that is there and has the right shape.
    public struct Entry: Sendable, Equatable {
        /// Which it is.
        public let object: EndorsementObject
        /// Where it lies below the directory.
        public let path: String
        /// As the vendor sent it.
        public let body: [UInt8]
        /// PEM of its issuers, where the vendor sends them beside it.
        public let issuers: [UInt8]?
        /// From when on it says to be good; seconds since 1970, UTC.
        public let issued: Int64
        /// Until when it says to be good; seconds since 1970, UTC.
        public let expires: Int64
        /// When it was fetched; nil where somebody put it there.
        public let fetched: Int64?
        /// The URL it was fetched from.
        public let source: String?
    }

    /// Where it is.
    public var path: String { directory.path }

    let directory: ConfinedDirectory

    /// Names the directory, which need not exist; it is looked into at every question.
    public init(_ path: String) {
        directory = ConfinedDirectory(path)
    }

    /// The document, unless there is none or what is there is something else.
    public func entry(_ object: EndorsementObject) -> Entry? {
        for place in object.places {
            guard let body = try? directory.read(place, atMost: object.limit) else { continue }
            let issuers =
                object.issuersHeader == nil
                ? nil : try? directory.read(place.adding(".issuers"), atMost: Self.issuersLimit)
            guard
                let content = try? EndorsementContent(object, body, issuers: issuers)
            else { continue }
            let metadata = metadata(at: place, of: content, object)
            return Entry(
                object: object, path: place.joined(separator: "/"), body: content.body,
                issuers: content.issuers, issued: content.issued, expires: content.expires,
                fetched: metadata?.fetched, source: metadata?.source)
        }
        return nil
    }

    /// Whether there is a document of the right shape.
    public func contains(_ object: EndorsementObject) -> Bool { entry(object) != nil }

    /// Keeps a document; one that was issued later stays what it is.
    ///
    /// - Throws: ``FetchFault/older`` or ``FetchFault/storage(_:)``.
    func store(
        _ content: EndorsementContent, as object: EndorsementObject, metadata: EndorsementMetadata?
    ) throws(FetchFault) {
        if let present = entry(object), present.issued > content.issued { throw .older }
        let place = object.path
        do throws(SystemError) {
            if let issuers = content.issuers {
                try directory.write(place.adding(".issuers"), issuers)
            }
            try directory.write(place, content.body)
            if let metadata {
                try directory.write(place.adding(".meta"), metadata.encoded())
            }
        } catch {
            throw .storage(error)
        }
    }

    private func metadata(
        at place: [String], of content: EndorsementContent, _ object: EndorsementObject
    ) -> EndorsementMetadata? {
        guard
            let bytes = try? directory.read(
                place.adding(".meta"), atMost: EndorsementMetadata.limit),
            let metadata = EndorsementMetadata(parsing: bytes), metadata.object == object,
            metadata.digest == content.digest
        else { return nil }
        return metadata
    }

    static let issuersLimit = 64 << 10
}

extension EndorsementContent {
    /// SHA-256 over the document and its issuers: what metadata were made for.
    var digest: FixedBytes<32> {
        let hashing = OpenSSLHashing()
        return hashing.sha256(hashing.sha256(body).bytes + hashing.sha256(issuers ?? []).bytes)
    }
}

extension EndorsementObject {
    /// Where it may lie, the name that is written first; owners and Trustee have other names.
    var places: [[String]] {
        guard case .vcek = self, let file = path.last?.dropLast(".der".count) else { return [path] }
        return ["\(file).der", "\(file).pem", "\(file)_vcek.der", "\(file)_vcek.pem"].map {
            path.dropLast() + [$0]
        }
    }
}

extension [String] {
    /// The same place with `suffix` behind the name of the file.
    func adding(_ suffix: String) -> [String] { dropLast() + [(last ?? "") + suffix] }
}
