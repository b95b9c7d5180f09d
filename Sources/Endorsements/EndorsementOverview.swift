public import AdminAPI

extension EndorsementCache {
    /// Within so many seconds a document counts as ending soon.
    private static let margin: Int64 = 7 * 86_400
    /// What nobody has asked for since so many seconds is no longer called missing.
    private static let memory: Int64 = 90 * 86_400

    /// What is there, and what is not and should be.
    ///
    /// - Parameters:
    ///   - wanted: what launches asked for in vain, with the time; see ``WantedEndorsements``.
    ///   - needed: what else should be there.
    ///   - services: for the URLs.
    ///   - time: seconds since 1970, UTC.
    public func overview(
        wanted: [EndorsementObject: Int64], needed: Set<EndorsementObject> = [],
        services: EndorsementServices, at time: Int64
    ) -> EndorsementList {
        let entries = entries()
        let present = Set(entries.map(\.object))
        let recent = wanted.filter { $0.value > time - Self.memory }
        var documents = entries.map { entry in
            EndorsementRecord(
                name: entry.object.description, title: entry.object.title,
                state: entry.expires < time
                    ? .outdated : entry.expires < time + Self.margin ? .endsSoon : .good,
                url: services.url(of: entry.object), path: entry.path, issued: entry.issued,
                expires: entry.expires, fetched: entry.fetched, source: entry.source,
                wanted: recent[entry.object])
        }
        for object in needed.union(recent.keys).subtracting(present) {
            documents.append(
                EndorsementRecord(
                    name: object.description, title: object.title, state: .missing,
                    url: services.url(of: object), wanted: recent[object]))
        }
        return EndorsementList(
            directory: path, documents: documents.sorted { $0.name < $1.name },
            certificates: certificates().map { $0.place.path.joined(separator: "/") })
    }
}
