import Bytes
import Linux

@testable import Attester

/// A report interface as the kernel behaves, with faults on demand. Made for one thread.
final class FakeKernel: TSMFileSystem, @unchecked Sendable {
    var provider = "sev_guest\n"
    var hasDriver = true
    var hasCertificates = true
    var floor: Int?
    /// `errno` values that reading `outblob` fails with, one after another.
    var faults: [Int32] = []
    /// How many more times somebody else writes while we read.
    var intruders = 0
    /// What is put into the report instead of what was asked for.
    var replaced: [UInt8]?

    private(set) var entries: Set<String> = []
    private(set) var entriesMade = 0
    private(set) var pauses: [UInt64] = []
    private(set) var privilege: [UInt8] = []
    private var input: [UInt8] = []
    private var generation = 7

    static let busy: Int32 = 16
    static let wouldBlock: Int32 = 11
    static let invalid: Int32 = 22

    func makeDirectory(_ path: String) throws(SystemError) {
        guard hasDriver else { throw error("mkdir", path, 6) }
        entries.insert(path)
        entriesMade += 1
    }

    func removeDirectory(_ path: String) throws(SystemError) {
        entries.remove(path)
    }

    func read(_ path: String, atMost limit: Int) throws(SystemError) -> [UInt8] {
        switch path.split(separator: "/").last {
        case "provider": return Array(provider.utf8)
        case "generation": return Array("\(generation)\n".utf8)
        case "privlevel_floor":
            guard let floor else { throw error("open", path, 2) }
            return Array("\(floor)\n".utf8)
        case "auxblob":
            guard hasCertificates else { throw error("open", path, 2) }
            return [1, 2, 3]
        case "outblob":
            if !faults.isEmpty { throw error("read", path, faults.removeFirst()) }
            if intruders > 0 {
                intruders -= 1
                generation += 1
            }
            return Self.report(over: replaced ?? input)
        default: throw error("open", path, 2)
        }
    }

    func write(_ path: String, _ bytes: [UInt8]) throws(SystemError) {
        generation += 1
        if path.hasSuffix("/inblob") { input = bytes }
        if path.hasSuffix("/privlevel") { privilege = bytes }
    }

    func pause(milliseconds: UInt64) { pauses.append(milliseconds) }

    func randomName() -> String { "\(entriesMade)" }

    /// A report of version 2 with HOST_DATA 0xab.. and no signature.
    static func report(over reportData: [UInt8]) -> [UInt8] {
        var report = [UInt8](repeating: 0, count: 0x4a0)
        report[0] = 2
        // POLICY: SMT allowed, and the bit that must be one.
        report[0x0a] = 3
        // SIGNATURE_ALGO: ECDSA P-384 with SHA-384.
        report[0x34] = 1
        report.replaceSubrange(0x50..<0x50 + reportData.count, with: reportData)
        report.replaceSubrange(0xc0..<0xe0, with: repeatElement(0xab, count: 32))
        return report
    }

    private func error(_ call: String, _ path: String, _ code: Int32) -> SystemError {
        SystemError(call: call, subject: path, code: code)
    }
}
