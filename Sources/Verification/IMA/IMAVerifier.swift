public import Bytes
public import Evidence
internal import OpenSSL
internal import Policy

/// Checks an IMA log as it comes, in constant memory.
///
/// A value of this type is a place in the log: more entries can be appended to it later, with a newer
/// quote, without looking at the old ones again.
public struct IMAVerifier: Sendable {
    /// How many problems are kept for each check; the rest is counted.
    public static let maximumProblems = 16

    var expectations: IMAExpectations
    private(set) var reader: IMALogReader?
    private var start: [UInt8] = []
    private(set) var fault: ParseError?
    private(set) var replays: [IMAReplay] = []
    private var digest = [UInt8](repeating: 0, count: 64)
    /// By check: the first entry that fails it, and how many do.
    private(set) var failures: [IMACheck: (first: Int, count: Int)] = [:]
    private(set) var problems: [IMAProblem] = []
    /// Whether the register's first entry, which the kernel makes by itself, is of the oldest template; nil
    /// before there is one.
    private var isLegacy: Bool?
    private(set) var bootAggregate: IMABootAggregate?
    private(set) var signatureCounts = (valid: 0, absent: 0)
    /// How many entries each rule of the reference let in.
    private(set) var allowanceCounts: [Int]
    /// How many entries only the owner's further pairs have.
    private(set) var furtherCount = 0
    /// Entries of other registers, which this one's quote does not vouch for.
    private(set) var foreignCount = 0

    /// Starts at the beginning of a log, whose form is told by its first entry unless given.
    public init(_ expectations: IMAExpectations, form: IMALogForm? = nil) {
        self.expectations = expectations
        let rules = expectations.reference?.allowances.count ?? 0
        allowanceCounts = [Int](repeating: 0, count: rules)
        if let form { begin(form) }
    }

    /// How many entries were read.
    public var count: Int { reader?.count ?? 0 }

    /// Whether something came that is no entry, so that more of the log tells nothing.
    public var isUnreadable: Bool { fault != nil }

    /// Reads the next part of the log; parts may end anywhere.
    public mutating func append(_ bytes: ArraySlice<UInt8>) {
        guard fault == nil else { return }
        do throws(ParseError) {
            guard reader == nil else {
                try read(bytes)
                return
            }
            start += bytes
            // Enough for the first entry's hash and the name of its template.
            if start.count >= 600 { try detect() }
        } catch {
            fault = error
        }
    }

    /// Holds the entries so far, and those to come, against a newer quote.
    public mutating func expect(quoted: [HashAlgorithm: [UInt8]]) {
        precondition(Set(quoted.keys) == Set(expectations.quoted.keys), "other banks than before")
        expectations.quoted = quoted
        for index in replays.indices {
            replays[index].expect(quoted[replays[index].bank, default: []], after: count)
        }
    }

    /// Says what was found up to here; a log that ends within an entry is refused.
    public mutating func finish() -> IMAResult {
        if fault == nil {
            do throws(ParseError) {
                if reader == nil, !start.isEmpty { try detect() }
                guard reader != nil else {
                    throw .truncated(field: "IMA log", needed: 1, available: 0)
                }
                reader?.endText()
                try read([])
                try reader?.finish()
            } catch {
                fault = error
            }
        }
        return result()
    }

    private mutating func detect() throws(ParseError) {
        begin(try IMALogForm(detecting: start))
        let bytes = start
        start = []
        try read(bytes[...])
    }

    private mutating func begin(_ form: IMALogForm) {
        reader = IMALogReader(form)
        replays = expectations.quoted.sorted { $0.key.size < $1.key.size }.map {
            IMAReplay(
                $0.key, quoted: $0.value, logHash: form.hash,
                allowsPadding: expectations.allowsPaddedSHA1)
        }
    }

    private mutating func read(_ bytes: ArraySlice<UInt8>) throws(ParseError) {
        // Out of the optional, so that its buffers are not copied when it changes.
        guard var reader = reader.take() else { return }
        defer { self.reader = reader }
        reader.append(bytes)
        while try reader.next() { judge(reader.entry, reader.form.hash) }
    }

    private mutating func judge(_ entry: borrowing IMAEntry, _ hash: HashAlgorithm) {
        if !entry.isViolation, !hashes(entry, hash) {
            fail(.templateHashes, entry, "does not hash to its template hash")
        }
        let isFirst = entry.register == expectations.register && isLegacy == nil
        if isFirst {
            isLegacy = entry.template.isLegacy
            bootAggregate = IMABootAggregate(entry, expectations.bootRegisters)
        }
        if entry.register == expectations.register {
            for index in replays.indices { replays[index].extend(entry, count: entry.index + 1) }
        } else {
            foreignCount += 1
        }
        if entry.isViolation {
            fail(.violations, entry, "was open for writing while it was measured")
        } else if hasIdentity(entry) {
            judgeFile(entry, isProven: isFirst && bootAggregate?.isProven ?? false)
        } else {
            refuseIdentity(of: entry)
        }
    }

    /// Whether the bytes that were extended say by themselves which of them are digest and name, whatever the log
    /// calls their template. Bytes of the oldest one cannot be told from others', but what the kernel begins
    /// its log with tells whether it makes such.
    private func hasIdentity(_ entry: borrowing IMAEntry) -> Bool {
        hasKnownOrder(entry) && entry.algorithm != nil
    }

    private func hasKnownOrder(_ entry: borrowing IMAEntry) -> Bool {
        entry.template.isUnambiguous || entry.template.isLegacy && isLegacy == true
    }

    private mutating func refuseIdentity(of entry: borrowing IMAEntry) {
        let detail =
            hasKnownOrder(entry)
            ? "has a digest of an unknown function"
            : "is of template \(entry.template.name), by which any of its bytes can be called the digest"
        if expectations.policy != nil || expectations.reference?.hasFiles ?? false {
            fail(.policy, entry, detail)
        } else if case .ignored = expectations.signatures {
            return
        } else {
            fail(.signatures, entry, detail)
        }
    }

    private mutating func hashes(_ entry: borrowing IMAEntry, _ hash: HashAlgorithm) -> Bool {
        ShortHash.hash(hash, entry.data, count: entry.dataByteCount, into: &digest, at: 0)
        return entry.templateHash.isEqual(0..<hash.size, to: digest, at: 0)
    }

    /// Whether the file may be there: by its signature, or by the policy, or as the aggregate that is proven.
    private mutating func judgeFile(_ entry: borrowing IMAEntry, isProven: Bool) {
        var isSigned = false
        switch expectations.signatures {
        case .ignored: break
        case .whenPresent(let keys), .required(let keys):
            switch IMASignatureState(entry, keys) {
            case .valid:
                signatureCounts.valid += 1
                isSigned = true
            case .absent:
                signatureCounts.absent += 1
                if isRequired, expectations.policy == nil {
                    fail(.signatures, entry, "has no signature")
                }
            case .unknownKey(let text):
                if !isRequired || expectations.policy == nil { fail(.signatures, entry, text) }
            case .bad(let text): fail(.signatures, entry, text)
            }
        }
        if let reference = expectations.reference, reference.hasFiles {
            judge(entry, against: reference, isProven: isProven)
        }
        if let policy = expectations.policy, !isSigned, !isProven, !permits(policy, entry) {
            // Looking for what was expected reads the whole table, so only for those that are shown.
            let isShown = (failures[.policy]?.count ?? 0) < Self.maximumProblems
            let name = Array(entry.data[entry.name])
            fail(.policy, entry, isShown ? Self.refusal(policy.digests.digests(of: name)) : "")
        }
    }

    /// Whether a snapshot or a rule lets the entry be there.
    private mutating func judge(
        _ entry: borrowing IMAEntry, against reference: RuntimeReference, isProven: Bool
    ) {
        switch reference.admission(of: entry) {
        case .listed: break
        case .further: furtherCount += 1
        case .allowed(let index): allowanceCounts[index] += 1
        case .missing:
            if isProven { return }
            let isShown = (failures[.policy]?.count ?? 0) < Self.maximumProblems
            fail(.policy, entry, isShown ? reference.refusal(of: entry) : "")
        }
    }

    private var isRequired: Bool {
        if case .required = expectations.signatures { return true }
        return false
    }

    private func permits(_ policy: IMARuntimePolicy, _ entry: borrowing IMAEntry) -> Bool {
        if !entry.buffer.isEmpty {
            return policy.allowsBuffer(entry.data, name: entry.name, digest: entry.digest)
        }
        return policy.digests.contains(entry.data, name: entry.name, digest: entry.digest)
            || policy.excludes.matches(entry.data, entry.name)
    }

    private static func refusal(_ expected: [[UInt8]]) -> String {
        guard let first = expected.first else { return "is not in the policy" }
        let more = expected.count > 1 ? " or \(expected.count - 1) others" : ""
        return "has another digest than the policy's \(Hex.encode(first))\(more)"
    }

    private mutating func fail(
        _ check: IMACheck, _ entry: borrowing IMAEntry, _ detail: String
    ) {
        let old = failures[check]
        failures[check] = (old?.first ?? entry.index, (old?.count ?? 0) + 1)
        guard (old?.count ?? 0) < Self.maximumProblems else { return }
        problems.append(
            IMAProblem(
                check: check, index: entry.index, path: entry.path,
                digest: entry.algorithm.map {
                    "\($0.rawValue):\(Hex.encode(entry.data[entry.digest]))"
                } ?? "", detail: detail))
    }
}
