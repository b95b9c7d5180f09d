internal import Bytes
public import Evidence
internal import OpenSSL
public import Policy

/// What a running VM is held against: a snapshot, the owner's further pairs, and the rules of a policy.
///
/// It is made once and shared: tables of a million files are not copied for each report.
public final class RuntimeReference: Sendable {
    /// The snapshot; nil where there is none, or none that may be believed.
    public let snapshot: Snapshot?
    /// The rules that let in what the snapshot lacks, in the order of the policy.
    public let allowances: [RuntimeRules.Allowance]
    let forbidsViolations: Bool
    /// The owner's own pairs, read as those of a snapshot.
    private let further: Snapshot?
    private let filters: [Filter]

    /// A rule, ready for use.
    private enum Filter: Sendable {
        case pattern(start: [UInt8], PathPattern)
        case paths(Set<[UInt8]>)
        case key(FileSigningKey)
        case prefix([UInt8])
    }

    /// Prepares `rules` for use.
    ///
    /// - Parameter further: pairs of a path, as ``SnapshotPath`` has it, and a digest that may be there too.
    /// - Throws: where a signer's bytes are no key that signs files.
    public init(
        snapshot: Snapshot?, further: IMADigestTable? = nil, rules: RuntimeRules = RuntimeRules()
    ) throws(RuntimeReferenceError) {
        self.snapshot = snapshot
        allowances = rules.allowances
        forbidsViolations = rules.violations == .fail
        if let further {
            var pairs = Snapshot()
            pairs.files = further
            self.further = pairs
        } else {
            self.further = nil
        }
        var filters: [Filter] = []
        for allowance in rules.allowances {
            filters.append(try Self.filter(allowance, snapshot))
        }
        self.filters = filters
    }

    /// Whether there is a list to hold a log against.
    var hasFiles: Bool { snapshot?.files != nil || further != nil }

    /// How an entry of a log comes to be there.
    enum Admission: Equatable {
        /// The snapshot has it.
        case listed
        /// The owner's further pairs have it.
        case further
        /// The rule of this place lets it in.
        case allowed(Int)
        /// Neither.
        case missing
    }

    /// Looks an entry up; a list is asked before the rules.
    func admission(of entry: borrowing IMAEntry) -> Admission {
        if snapshot?.allows(entry.data, name: entry.name, digest: entry.digest) ?? false {
            return .listed
        }
        if further?.allows(entry.data, name: entry.name, digest: entry.digest) ?? false {
            return .further
        }
        // A measured buffer is no file: its name is what the kernel calls it, and no path.
        guard !filters.isEmpty, entry.buffer.isEmpty, entry.name.count > 1,
            entry.data[entry.name.lowerBound] == UInt8(ascii: "/")
        else { return .missing }
        let path = SnapshotPath.normalized(entry.data[entry.name])
        for (index, filter) in filters.enumerated() {
            let holds =
                switch filter {
                // Most paths have another start, and finding that out costs next to nothing: a log of strangers
                // must not cost a walk through every pattern for each entry.
                case .pattern(let start, let pattern):
                    path.starts(with: start) && pattern.matches(path, 0..<path.count)
                case .paths(let paths): paths.contains(path)
                case .key(let key): IMASignatureState(entry, [key]).isValid
                case .prefix(let prefix): path.count > prefix.count && path.starts(with: prefix)
                }
            if holds { return .allowed(index) }
        }
        return .missing
    }

    /// Why an entry is refused; looks at all of the lists, so this is for messages.
    func refusal(of entry: borrowing IMAEntry) -> String {
        let path = SnapshotPath.normalized(entry.data[entry.name])
        let listed = snapshot?.files?.digests(of: path) ?? []
        let known = listed + (further?.files?.digests(of: path) ?? [])
        guard let first = known.first else { return "is not in the snapshot" }
        return "has another digest than the \(listed.isEmpty ? "owner's list's" : "snapshot's") "
            + Hex.encode(first) + (known.count > 1 ? " or \(known.count - 1) others" : "")
    }

    private static func filter(
        _ allowance: RuntimeRules.Allowance, _ snapshot: Snapshot?
    ) throws(RuntimeReferenceError) -> Filter {
        switch allowance {
        case .path(let glob):
            do throws(ParseError) {
                return .pattern(
                    start: Array(glob.fixedStart.utf8),
                    try PathPattern(anyOf: [glob.regularExpression]))
            } catch {
                throw .unusable(allowance, reason: "\(error)")
            }
        case .package(let name):
            let packages = snapshot?.packages.filter { $0.name == name } ?? []
            return .paths(
                Set(packages.flatMap { $0.pathLines.split(separator: 0x0a).map(Array.init) }))
        case .signer(let key):
            do throws(CryptoError) {
                return .key(try FileSigningKey(parsing: key))
            } catch {
                throw .unusable(allowance, reason: "\(error)")
            }
        case .overlay(let folder): return .prefix(Array("\(folder)/".utf8))
        }
    }
}

/// Why a policy's rules cannot be used.
public enum RuntimeReferenceError: Error, Equatable, Sendable {
    /// A rule with a value that says nothing, such as a key that signs no files.
    case unusable(RuntimeRules.Allowance, reason: String)
}

extension RuntimeReferenceError: CustomStringConvertible {
    /// One line: which rule, and why.
    public var description: String {
        switch self {
        case .unusable(let allowance, let reason): "\(allowance): \(reason)"
        }
    }
}

extension IMASignatureState {
    fileprivate var isValid: Bool {
        if case .valid = self { true } else { false }
    }
}
