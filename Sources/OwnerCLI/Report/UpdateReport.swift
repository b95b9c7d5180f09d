import AdminAPI
import AgentAPI
import Bytes
import Evidence
import Linux

/// What an update changed, by package.
struct UpdateReport {
    /// How many paths of a group are shown; `--json` has all.
    private static let shownPaths = 12

    /// The package manager's word on a file.
    enum Word: String, Encodable {
        case asDelivered = "as delivered"
        case changed = "CHANGED after delivery"
        case unknown = "the package says no digest"
        case unowned = "no package"
        case removed
    }

    struct Entry: Encodable, Equatable {
        let path: String
        /// `added`, `changed` or `removed`.
        let change: String
        let word: Word
    }

    struct Group: Encodable, Equatable {
        /// Nil for files that no package has.
        let package: String?
        let oldVersion: String?
        let newVersion: String?
        let files: [Entry]

        /// Whether every file is as its package delivered it, or gone.
        var isAsDelivered: Bool {
            files.allSatisfy { $0.word == .asDelivered || $0.word == .removed && package != nil }
        }
    }

    let vm: String
    let groups: [Group]

    init(
        vm: String, difference: SnapshotDifference, old: Snapshot, new: Snapshot,
        owners: [OwnersAnswer.Owner]
    ) {
        self.vm = vm
        var byPath: [String: OwnersAnswer.Owner] = [:]
        for owner in owners { byPath[owner.path] = owner }
        let before = old.owners(of: Set(difference.removed.map(\.path)))
        var files: [String: [Entry]] = [:]
        func add(_ path: String, _ change: String, _ package: String?, _ word: Word) {
            files[package ?? "", default: []].append(
                Entry(path: path, change: change, word: word))
        }
        for (list, change) in [(difference.added, "added"), (difference.changed, "changed")] {
            for file in list {
                let owner = byPath[file.path]
                add(file.path, change, owner?.package, Self.word(owner))
            }
        }
        for file in difference.removed {
            add(file.path, "removed", before[file.path]?.name, .removed)
        }
        let versions = (old: Self.versions(old), new: Self.versions(new))
        groups = files.map { name, entries in
            let told = entries.lazy.compactMap { byPath[$0.path]?.version }.first
            return Group(
                package: name.isEmpty ? nil : name, oldVersion: versions.old[name],
                newVersion: versions.new[name] ?? told, files: entries)
        }.sorted(by: Self.isBefore)
    }

    /// What no package has comes first, then what is not as delivered: that is what a person has to look at.
    private static func isBefore(_ one: Group, _ other: Group) -> Bool {
        func rank(_ group: Group) -> Int {
            group.package == nil ? 0 : group.isAsDelivered ? 2 : 1
        }
        return (rank(one), one.package ?? "") < (rank(other), other.package ?? "")
    }

    private static func word(_ owner: OwnersAnswer.Owner?) -> Word {
        guard let owner, owner.package != nil else { return .unowned }
        return switch owner.isAsDelivered {
        case true?: .asDelivered
        case false?: .changed
        case nil: .unknown
        }
    }

    private static func versions(_ snapshot: Snapshot) -> [String: String] {
        var versions: [String: String] = [:]
        for package in snapshot.packages { versions[package.name] = package.version }
        return versions
    }

    func print() {
        for line in lines(.standard) { Console.print(line) }
    }

    /// An update that was approved, registered and ended.
    struct Answer: Encodable {
        let vm: String
        let groups: [Group]
        let registered: SnapshotRecord
        let window = "closed"

        init(_ report: UpdateReport, _ registered: SnapshotRecord) {
            vm = report.vm
            groups = report.groups
            self.registered = registered
        }
    }

    private var count: Int { groups.reduce(0) { $0 + $1.files.count } }

    /// How many files are in groups that a person has to look at.
    private var odd: Int {
        groups.filter { !$0.isAsDelivered }.reduce(0) { $0 + $1.files.count }
    }

    /// For the ledger, in fewer than 256 bytes.
    var summary: String {
        count == 0
            ? "nothing differs from the snapshot before"
            : "\(differing()) from the snapshot before, \(odd) of them in groups that are not as "
                + "the VM's package manager says they were delivered"
    }

    func lines(_ screen: Screen) -> [String] {
        guard count > 0 else { return ["Nothing of \(vm.shown) differs from its snapshot."] }
        let verdict =
            odd == 0
            ? screen.paint(
                "all as the VM's package manager says they were delivered", .good)
            : screen.paint(odd == 1 ? "look at the first one" : "look at the first \(odd)", .bad)
        let parts = groups.count == 1 ? "1 group" : "\(groups.count) groups"
        return [
            "\(differing(of: " of \(vm.shown)")) from its snapshot, in \(parts): \(verdict).", "",
        ] + groups.flatMap { lines($0, screen) }
    }

    private func differing(of vm: String = "") -> String {
        count == 1 ? "1 file\(vm) differs" : "\(count) files\(vm) differ"
    }

    private func lines(_ group: Group, _ screen: Screen) -> [String] {
        let title: String
        if let package = group.package {
            let versions =
                group.oldVersion == group.newVersion
                ? group.newVersion ?? "-"
                : "\(group.oldVersion ?? "new") -> \(group.newVersion ?? "removed")"
            title = "\(package) \(versions)"
        } else {
            title = "no package"
        }
        var lines = ["  \(title.shown)  (\(group.files.count))"]
        if group.isAsDelivered {
            lines[0] += "  " + screen.paint("as delivered", .good)
            return lines
        }
        // The files that nobody vouches for are all shown before those that somebody does.
        let sorted =
            group.files.filter { $0.word != .asDelivered }
            + group.files.filter { $0.word == .asDelivered }
        for file in sorted.prefix(Self.shownPaths) {
            let tone: Screen.Tone = file.word == .asDelivered ? .good : .doubtful
            lines.append(
                "    \(file.change.padded(to: 8)) \(file.path.shown)  "
                    + screen.paint(file.word.rawValue, tone))
        }
        let more = group.files.count - Self.shownPaths
        if more > 0 { lines.append("    and \(more) more; --json has them") }
        return lines
    }
}
