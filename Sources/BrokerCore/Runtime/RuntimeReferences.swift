import Bytes
import Evidence
import Policy
import Synchronization
import Verification

/// What VMs are held against, ready for use, and for each how much of its log was read already.
///
/// Nothing here has to be kept: whoever is not found has its snapshot read again, and is asked for its log from
/// the first byte.
final class RuntimeReferences: Sendable {
    /// What a reference is made of.
    struct Key: Hashable, Sendable {
        var vm: String
        /// Digest of the snapshot; nil without one.
        var snapshot: String?
        /// Identity of the policy.
        var policy: FixedBytes<32>
    }

    private struct Entry {
        var key: Key
        var reference: RuntimeReference
        var log: RuntimeLog?
        var lastUse: UInt64
        var pairs: Int { reference.snapshot?.files?.count ?? 0 }
    }

    private struct State {
        /// By VM: an older snapshot or policy is of no use any more.
        var entries: [String: Entry] = [:]
        var pairs = 0
        var uses: UInt64 = 0
    }

    private let files: SnapshotFiles
    private let maximumPairs: Int
    private let maximumEntries: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - maximumPairs: of a path and a digest, some 100 bytes each, in all snapshots together.
    ///   - maximumEntries: VMs at once.
    init(_ files: SnapshotFiles, maximumPairs: Int = 1 << 21, maximumEntries: Int = 1024) {
        self.files = files
        self.maximumPairs = maximumPairs
        self.maximumEntries = maximumEntries
    }

    /// The reference of that key, read from its file where it is not at hand.
    func reference(_ key: Key, _ rules: RuntimeRules) throws -> RuntimeReference {
        if let known = use(key) { return known.reference }
        let needsPackages = rules.allowances.contains {
            if case .package = $0 { true } else { false }
        }
        let snapshot = try key.snapshot.map {
            try files.load($0, of: key.vm, keepsPackages: needsPackages)
        }
        let reference = try RuntimeReference(snapshot: snapshot, rules: rules)
        state.withLock { state in
            Self.remove(key.vm, &state)
            state.uses += 1
            let entry = Entry(key: key, reference: reference, lastUse: state.uses)
            state.entries[key.vm] = entry
            state.pairs += entry.pairs
            makeRoom(besides: key.vm, &state)
        }
        return reference
    }

    /// A log of the same boot as far as it was read before, or one to be read from its start; nil where nothing
    /// vouches for one.
    func log(
        _ key: Key, of report: RuntimeReport, against reference: RuntimeReference
    ) -> RuntimeLog? {
        if let known = use(key), known.reference === reference, var log = known.log,
            log.proceed(to: report)
        {
            return log
        }
        return RuntimeLog(of: report, against: reference)
    }

    /// Remembers how far a log was read that is held against `reference`; what was read anew meanwhile is
    /// another one.
    func keep(_ log: RuntimeLog, _ key: Key, against reference: RuntimeReference) {
        state.withLock { state in
            if state.entries[key.vm]?.reference === reference { state.entries[key.vm]?.log = log }
        }
    }

    private func use(_ key: Key) -> Entry? {
        state.withLock { state in
            guard state.entries[key.vm]?.key == key else { return nil }
            state.uses += 1
            state.entries[key.vm]?.lastUse = state.uses
            return state.entries[key.vm]
        }
    }

    private func makeRoom(besides vm: String, _ state: inout State) {
        while state.pairs > maximumPairs || state.entries.count > maximumEntries {
            let oldest = state.entries.filter { $0.key != vm }.min {
                $0.value.lastUse < $1.value.lastUse
            }
            guard let oldest else { return }
            Self.remove(oldest.key, &state)
        }
    }

    private static func remove(_ vm: String, _ state: inout State) {
        guard let old = state.entries.removeValue(forKey: vm) else { return }
        state.pairs -= old.pairs
    }
}
