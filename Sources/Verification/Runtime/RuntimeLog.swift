internal import Bytes
internal import Evidence

/// A place in the IMA log of a running VM: what came so far, held against the newest quote.
///
/// Whoever keeps one needs only the rest of the log with the next report of the same boot. It holds a few tens
/// of kilobytes, and the reference by reference.
public struct RuntimeLog: Sendable {
    /// How many bytes of the binary log came: what to ask for with the next report begins here.
    public private(set) var byteCount: UInt64 = 0
    /// What the entries were held against; for another reference the log has to come again.
    let reference: RuntimeReference
    private var verifier: IMAVerifier
    private var boot: RuntimeBoot
    private let startRegisters: RegisterValues
    private let banks: Set<HashAlgorithm>

    /// Starts at the log's first byte.
    ///
    /// Nil where nothing vouches for a log: `report` has no genuine quote of PCR 10 in a bank other than SHA-1's.
    public init?(of report: RuntimeReport, against reference: RuntimeReference) {
        let quoted = report.measurements
        guard !quoted.isEmpty else { return nil }
        self.reference = reference
        boot = report.boot
        banks = Set(quoted.keys)
        startRegisters = report.startRegisters
        var expectations = IMAExpectations(quoted: quoted)
        expectations.bootRegisters = startRegisters
        expectations.forbidsViolations = reference.forbidsViolations
        expectations.reference = reference
        verifier = IMAVerifier(expectations)
    }

    /// Goes on with a later report; false where it is none of the same boot, or where the log so far could not be
    /// read: then it has to come from its first byte, for a new value of this type.
    public mutating func proceed(to report: RuntimeReport) -> Bool {
        let quoted = report.measurements
        guard report.boot == boot, Set(quoted.keys) == banks, !verifier.isUnreadable,
            report.startRegisters == startRegisters
        else { return false }
        verifier.expect(quoted: quoted)
        return true
    }

    /// Takes the next bytes of the log; parts may end anywhere.
    public mutating func append(_ bytes: ArraySlice<UInt8>) {
        byteCount += UInt64(bytes.count)
        // In small parts, so that what is kept between two reports stays small too.
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = min(start + 16384, bytes.endIndex)
            verifier.append(bytes[start..<end])
            start = end
        }
    }

    /// Whether something came that is no entry, so that more of the log tells nothing.
    public var isUnreadable: Bool { verifier.isUnreadable }

    /// What was found up to here.
    mutating func finish() -> (result: IMAResult, allowed: [Int], further: Int) {
        (verifier.finish(), verifier.allowanceCounts, verifier.furtherCount)
    }
}
