import Bytes
import Linux
import OpenSSL
import TestSupport

@testable import Attester

/// A kernel with the interfaces that evidence is made of, with faults on demand. Made for one thread.
final class FakeKernel: Kernel, @unchecked Sendable {
    var provider = "sev_guest\n"
    var hasDriver = true
    /// After how many pauses there is a driver.
    var driverDelay: Int?
    var hasCertificates = true
    var floor: Int?
    /// The SVSM's manifest; nil where no service can be asked.
    var manifest: [UInt8]?
    /// `errno` values that reading `outblob` or an `ioctl` fails with, one after another.
    var faults: [Int32] = []
    /// How many more times somebody else writes while we read.
    var intruders = 0
    /// What is put into the report instead of what was asked for.
    var replaced: [UInt8]?
    /// STATUS of MSG_REPORT_RSP.
    var status: UInt8 = 0
    /// Whether the host answers SNP_GET_EXT_REPORT.
    var answersExtended = true
    /// Everything else that can be read, by path.
    var files: [String: [UInt8]] = [:]
    /// MRCONFIGID of TDREPORTs.
    var mrConfigID = [UInt8](repeating: 0xab, count: 32) + [UInt8](repeating: 0, count: 16)
    /// RTMR3, and whether a write to its file changes it.
    var rtmr3 = [UInt8](repeating: 0, count: 48)
    var extends = true
    /// What the host or the metadata service answers.
    var answers: [(Peer, [UInt8]) -> [UInt8]?] = []

    private(set) var entries: Set<String> = []
    private(set) var entriesMade = 0
    private(set) var pauses: [UInt64] = []
    private(set) var privilege: [UInt8] = []
    private(set) var asked: [[UInt8]] = []
    private var input: [UInt8] = []
    private var service: [String] = []
    private var generation = 7

    static let busy: Int32 = 16
    static let wouldBlock: Int32 = 11
    static let invalid: Int32 = 22

    func exists(_ path: String) -> Bool {
        if path.hasSuffix("/service_provider") { return manifest != nil }
        return files[path] != nil
    }

    func makeDirectory(_ path: String) throws(SystemError) {
        guard hasDriver else { throw error("mkdir", path, 6) }
        entries.insert(path)
        entriesMade += 1
    }

    func removeDirectory(_ path: String) throws(SystemError) {
        entries.remove(path)
    }

    func read(_ path: String, atMost limit: Int) throws(SystemError) -> [UInt8] {
        if let content = files[path] { return content }
        switch path.split(separator: "/").last {
        case "provider": return Array(provider.utf8)
        case "generation": return Array("\(generation)\n".utf8)
        case "privlevel_floor":
            guard let floor else { throw error("open", path, 2) }
            return Array("\(floor)\n".utf8)
        case "auxblob":
            guard hasCertificates else { throw error("open", path, 2) }
            return [1, 2, 3]
        case "manifestblob":
            guard let manifest else { throw error("open", path, 2) }
            return manifest
        case "outblob":
            try fail("read", path)
            if intruders > 0 {
                intruders -= 1
                generation += 1
            }
            return answer()
        default: throw error("open", path, 2)
        }
    }

    func write(_ path: String, _ bytes: [UInt8]) throws(SystemError) {
        if path == GuestFiles.rtmr3 {
            try fail("write", path)
            let old = rtmr3
            if extends { rtmr3 = OpenSSLHashing().sha384(old + bytes).bytes }
            return
        }
        generation += 1
        if path.hasSuffix("/inblob") { input = bytes }
        if path.hasSuffix("/privlevel") { privilege = bytes }
        if path.hasSuffix("/service_provider") || path.hasSuffix("/service_guid") {
            service.append(String(decoding: bytes, as: UTF8.self))
        }
    }

    func pause(milliseconds: UInt64) {
        pauses.append(milliseconds)
        if pauses.count == driverDelay { hasDriver = true }
    }

    func randomName() -> String { "\(entriesMade)" }

    func snpReport(
        _ device: String, over reportData: [UInt8], privilege: UInt32
    ) throws(SystemError) -> [UInt8] {
        try fail("SNP_GET_REPORT", device)
        self.privilege = [UInt8(privilege)]
        let report = Self.report(over: replaced ?? reportData)
        let head: [UInt8] = [status, 0, 0, 0, 0xa0, 0x04, 0, 0] + [UInt8](repeating: 0, count: 24)
        return head + report + [UInt8](repeating: 0, count: 4000 - 32 - report.count)
    }

    func snpExtendedReport(
        _ device: String, over reportData: [UInt8], privilege: UInt32
    ) throws(SystemError) -> (response: [UInt8], certificates: [UInt8]) {
        guard answersExtended else { throw error("SNP_GET_EXT_REPORT", device, 5) }
        let table = [UInt8](repeating: hasCertificates ? 1 : 0, count: 16384)
        return (try snpReport(device, over: reportData, privilege: privilege), table)
    }

    func tdReport(_ device: String, over reportData: [UInt8]) throws(SystemError) -> [UInt8] {
        guard exists(device) else { throw error("open", device, 2) }
        try fail("TDX_CMD_GET_REPORT0", device)
        var report = [UInt8](repeating: 0, count: 1024)
        report[0] = 0x81
        report.replaceSubrange(0x80..<0xc0, with: reportData)
        report.replaceSubrange(576..<624, with: mrConfigID)
        report.replaceSubrange(864..<912, with: rtmr3)
        return report
    }

    func exchange(
        _ request: [UInt8], with peer: Peer, atMost limit: Int, milliseconds: UInt64,
        isWhole: ([UInt8]) -> Bool
    ) throws(SystemError) -> [UInt8] {
        asked.append(request)
        guard !answers.isEmpty, let answer = answers.removeFirst()(peer, request) else {
            throw error("connect", "\(peer)", 110)
        }
        return answer
    }

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

    /// A quote that nobody signed.
    static func quote(over reportData: [UInt8]) -> [UInt8] {
        var quote = TDXQuoteBuilder()
        quote.set(.reportData, reportData)
        return quote.bytes
    }

    private func answer() -> [UInt8] {
        let asked = replaced ?? input
        if provider.hasPrefix("tdx") { return Self.quote(over: asked) }
        guard !service.isEmpty, let manifest else { return Self.report(over: asked) }
        // The SVSM specification's binding of question and manifest.
        guard service == ["svsm", "c476f1eb-0123-45a5-9641-b4e7dde5bfe3"] else { return [] }
        return Self.report(over: OpenSSLHashing().sha512(asked + manifest).bytes)
    }

    private func fail(_ call: String, _ path: String) throws(SystemError) {
        if !faults.isEmpty { throw error(call, path, faults.removeFirst()) }
    }

    private func error(_ call: String, _ path: String, _ code: Int32) -> SystemError {
        SystemError(call: call, subject: path, code: code)
    }
}
