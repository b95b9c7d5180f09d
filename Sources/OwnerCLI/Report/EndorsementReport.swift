import AdminAPI

/// What lies in a folder of endorsements, for a person.
struct EndorsementReport {
    let list: EndorsementList
    /// Seconds since 1970, UTC.
    let now: Int64

    /// Whether nothing is missing and nothing has ended.
    var isSound: Bool {
        list.documents.allSatisfy { $0.state == .good || $0.state == .endsSoon }
    }

    /// One row for each document.
    var table: Table {
        var table = Table(["DOCUMENT", "STATE", "ISSUED", "ENDS", "FETCHED"])
        table.rows = list.documents.map { document in
            [
                .init(Self.shortened(document.name)),
                .init(document.state.rawValue, Self.tone(document.state)),
                .init(document.issued.map(ago) ?? "-"), .init(document.expires.map(hence) ?? "-"),
                .init(document.fetched.map(ago) ?? "-"),
            ]
        }
        table.rows += list.certificates.map { path in
            [.init(Self.shortened(path)), .init("put there"), .init("-"), .init("-"), .init("-")]
        }
        return table
    }

    /// What has to be done, and what is well.
    func findings(_ screen: Screen) -> [String] {
        var lines: [String] = []
        for document in list.documents where document.state != .good {
            let state = screen.paint(document.state.rawValue, Self.tone(document.state))
            let date = document.expires.map { ", ends \(hence($0))" } ?? ""
            let wanted = document.wanted.map { ", last wanted \(ago($0))" } ?? ""
            lines.append("  \(state)  \(document.title.shown)\(date)\(wanted)")
            lines.append("      \(document.url.shown)")
        }
        for chip in list.chips where chip.certificates.isEmpty && chip.platform.hasPrefix("SNP") {
            lines.append(
                "  no VCEK here for chip \(chip.chip.prefix(16).description.shown) "
                    + "(\(chip.vms.joined(separator: ", ").shown)); its host has to bring one")
        }
        let good = list.documents.count { $0.state == .good }
        let summary = "\(good) documents are good"
        guard !lines.isEmpty else { return ["\(summary), nothing is missing."] }
        lines.append("\(summary); in \(list.directory.shown).")
        if !isSound {
            lines.append(
                list.online == true
                    ? "Next: the broker fetches them itself; its log says how that goes."
                    : "Next: fetch them where there is Internet, and `bootgate endorsements import FILE`."
            )
        }
        return lines
    }

    private func ago(_ time: Int64) -> String {
        time > now ? "in the future" : "\(Self.span(now - time)) ago"
    }

    private func hence(_ time: Int64) -> String {
        time < now ? "\(Self.span(now - time)) ago" : "in \(Self.span(time - now))"
    }

    private static func span(_ seconds: Int64) -> String {
        switch seconds {
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    private static func tone(_ state: EndorsementRecord.State) -> Screen.Tone {
        switch state {
        case .good: .good
        case .endsSoon: .doubtful
        case .outdated, .missing: .bad
        }
    }

    /// A chip by the ends of its id.
    private static func shortened(_ name: String) -> String {
        name.split(separator: "/", omittingEmptySubsequences: false).map { part in
            part.utf8.count == 128 ? "\(part.prefix(8))..\(part.suffix(4))" : String(part)
        }.joined(separator: "/")
    }
}
