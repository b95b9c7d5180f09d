public import AdminAPI
import Bytes
public import Linux
import OpenSSL

/// Why bytes are no bundle that may be imported.
public struct BundleFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The member at fault; nil for the bundle as a whole.
    public let member: String?
    /// What holds in a bundle that can be imported.
    public let rule: String

    /// One line: where, and what was expected.
    public var description: String {
        (member.map { "\($0): " } ?? "") + "expected \(rule)"
    }
}

/// Everything of a folder of endorsements in one file, to be carried to a broker without Internet.
///
/// A tar archive of the files as they lie in the folder, sorted by path, behind a `MANIFEST` of the form
/// that `sha256sum --check` reads. The same folder makes the same bytes. Nothing in it is secret, and
/// nothing in it is believed because it was in a bundle: verifiers check each document.
public struct EndorsementBundle: Sendable, Equatable {
    /// The largest bundle, in bytes.
    public static let maximumCount = 64 << 20

    private static let maximumMembers = 300_000
    private static let manifest = "MANIFEST"
    private static let title = "# bootgate endorsements 1"

    private struct Document: Sendable, Equatable {
        let object: EndorsementObject
        let content: EndorsementContent
        let metadata: EndorsementMetadata?
    }

    private struct Certificate: Sendable, Equatable {
        let place: OwnerCertificate
        let content: [UInt8]
    }

    private let documents: [Document]
    private let certificates: [Certificate]

    /// How many documents and certificates there are.
    public var count: Int { documents.count + certificates.count }

    /// Takes all that `cache` has.
    public init(of cache: EndorsementCache) {
        documents = cache.entries().compactMap { entry in
            guard
                let content = try? EndorsementContent(
                    entry.object, entry.body, issuers: entry.issuers)
            else { return nil }
            let metadata = entry.source.flatMap { source in
                entry.fetched.map { fetched in
                    EndorsementMetadata(
                        object: entry.object, source: source, fetched: fetched,
                        digest: content.digest)
                }
            }
            return Document(object: entry.object, content: content, metadata: metadata)
        }
        certificates = cache.certificates().map {
            Certificate(place: $0.place, content: $0.content)
        }
    }

    /// The file; nil where it would be larger than any that is read.
    public func encoded() -> [UInt8]? {
        let bytes = TarFile.encode(Self.withManifest(members))
        return bytes.flatMap { $0.count <= Self.maximumCount ? $0 : nil }
    }

    /// Reads a bundle, and each document in it as if it came from its vendor.
    public init(parsing bytes: [UInt8]) throws(BundleFault) {
        guard bytes.count <= Self.maximumCount else {
            throw BundleFault(member: nil, rule: "at most \(Self.maximumCount) bytes")
        }
        guard let members = TarFile.decode(bytes, atMost: Self.maximumMembers) else {
            throw BundleFault(
                member: nil, rule: "a bundle as `bootgate endorsements export` writes it, whole")
        }
        let files = Array(members.dropFirst())
        guard let first = members.first, first.path == Self.manifest else {
            throw BundleFault(member: members.first?.path, rule: "\(Self.manifest) at the start")
        }
        for (file, next) in zip(files, files.dropFirst()) where file.path >= next.path {
            throw BundleFault(member: next.path, rule: "files sorted by path, each of them once")
        }
        try Self.check(first.content, against: files)
        var rest = Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0.content) })
        (documents, certificates) = try Self.read(files.map(\.path), &rest)
        if let left = rest.keys.min() {
            throw BundleFault(member: left, rule: "a file of a document that is in the bundle")
        }
    }

    /// Puts everything into `cache` that is not there, or only in an older form.
    ///
    /// A failure may leave some documents put and others not; each of them is whole.
    public func install(in cache: EndorsementCache) throws(SystemError) -> EndorsementImport {
        var result = EndorsementImport()
        for document in documents {
            let present = cache.entry(document.object)
            if let present, present.issued >= document.content.issued {
                result.kept.append(document.object.description)
                continue
            }
            do throws(FetchFault) {
                try cache.store(
                    document.content, as: document.object, metadata: document.metadata)
            } catch {
                if case .storage(let error) = error { throw error }
            }
            if present == nil {
                result.added.append(document.object.description)
            } else {
                result.replaced.append(document.object.description)
            }
        }
        for certificate in certificates {
            let name = certificate.place.path.joined(separator: "/")
            let present = cache.certificate(certificate.place)
            if let present = present.flatMap(OwnerCertificate.issued),
                present >= OwnerCertificate.issued(certificate.content) ?? .min
            {
                result.kept.append(name)
                continue
            }
            try cache.directory.write(certificate.place.path, certificate.content)
            if present == nil { result.added.append(name) } else { result.replaced.append(name) }
        }
        return result
    }

    private var members: [TarFile.Member] {
        let documents = documents.flatMap { document in
            let path = document.object.path.joined(separator: "/")
            let parts = [
                ("", document.content.body), (".issuers", document.content.issuers),
                (".meta", document.metadata?.encoded()),
            ]
            return parts.compactMap { suffix, content in
                content.map { TarFile.Member(path: path + suffix, content: $0) }
            }
        }
        let certificates = certificates.map {
            TarFile.Member(path: $0.place.path.joined(separator: "/"), content: $0.content)
        }
        return (documents + certificates).sorted { $0.path < $1.path }
    }

    /// `files` behind the manifest that fits them.
    package static func withManifest(_ files: [TarFile.Member]) -> [TarFile.Member] {
        [TarFile.Member(path: manifest, content: text(of: files))] + files
    }

    private static func text(of files: [TarFile.Member]) -> [UInt8] {
        let hashing = OpenSSLHashing()
        let lines = files.map { "\(hashing.sha256($0.content).hex)  \($0.path)" }
        return Array(([title] + lines + [""]).joined(separator: "\n").utf8)
    }

    private static func check(
        _ manifest: [UInt8], against files: [TarFile.Member]
    ) throws(BundleFault) {
        guard manifest != text(of: files) else { return }
        let lines = String(decoding: manifest, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        guard lines.first.map(String.init) == title else {
            throw BundleFault(member: Self.manifest, rule: "\"\(title)\" in the first line")
        }
        let hashing = OpenSSLHashing()
        for (file, line) in zip(files, lines.dropFirst())
        where line != "\(hashing.sha256(file.content).hex)  \(file.path)" {
            throw BundleFault(
                member: file.path, rule: "its SHA-256 and path in line by line of \(Self.manifest)")
        }
        throw BundleFault(member: Self.manifest, rule: "a line for each file and no other")
    }

    private static func read(
        _ paths: [String], _ rest: inout [String: [UInt8]]
    ) throws(BundleFault) -> ([Document], [Certificate]) {
        var documents: [Document] = []
        var certificates: [Certificate] = []
        for path in paths where !path.hasSuffix(".issuers") && !path.hasSuffix(".meta") {
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
                .map(String.init)
            let content = rest.removeValue(forKey: path) ?? []
            if let place = OwnerCertificate(path: parts) {
                guard OwnerCertificate.issued(content) != nil else {
                    throw BundleFault(member: path, rule: "one certificate in DER or PEM")
                }
                certificates.append(Certificate(place: place, content: content))
            } else {
                documents.append(
                    try document(
                        EndorsementObject.candidates(at: parts), path, content,
                        issuers: rest.removeValue(forKey: path + ".issuers"),
                        metadata: rest.removeValue(forKey: path + ".meta")))
            }
        }
        return (documents, certificates)
    }

    private static func document(
        _ candidates: [EndorsementObject], _ path: String, _ body: [UInt8], issuers: [UInt8]?,
        metadata: [UInt8]?
    ) throws(BundleFault) -> Document {
        var fault = BundleFault(member: path, rule: "a path of a document")
        for object in candidates {
            let content: EndorsementContent
            do throws(FetchFault) {
                content = try EndorsementContent(object, body, issuers: issuers)
            } catch {
                if case .wrongContent(let rule) = error {
                    fault = BundleFault(member: path, rule: rule)
                }
                continue
            }
            guard content.issuers == issuers else {
                throw BundleFault(
                    member: path + ".issuers", rule: "no issuers beside such a document")
            }
            guard let metadata else {
                return Document(object: object, content: content, metadata: nil)
            }
            guard let known = EndorsementMetadata(parsing: metadata), known.object == object,
                known.digest == content.digest
            else {
                throw BundleFault(member: path + ".meta", rule: "metadata of that document")
            }
            return Document(object: object, content: content, metadata: known)
        }
        throw fault
    }
}
