import Bytes
import Evidence
import Foundation
import Linux
import Logging
import OpenSSL
import Protocol
import RuntimeCore
import ServiceLifecycle
import Settings
import Synchronization
import TPM
import TestSupport

@testable import Attester
@testable import RuntimeAgent

/// An agent on a port of the loopback, and a folder of its own for all that is the machine's.
struct TestAgent: Sendable {
    static let token = "correct horse battery staple"

    let port: Int
    let folder: String
    let agent: Agent

    /// Runs an agent while `body` does.
    static func with(
        tpm: AgentSettings.TPMDevice = .none, deadlines: HTTPDeadlines.Limits = .init(),
        _ change: (inout AgentSettings, String) throws -> Void = { _, _ in },
        _ body: (TestAgent) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "bootgate-agent-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: "\(folder)/ima", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var settings = AgentSettings()
        settings.host = "127.0.0.1"
        settings.port = 0
        settings.dataStorage = "\(folder)/root"
        settings.certificate = "\(folder)/root/data/cert.pem"
        settings.privateKey = "\(folder)/root/data/cert.key"
        settings.gateConfiguration = "\(folder)/gate.conf"
        settings.tpm = tpm
        settings.tokens = [OpenSSLHashing().sha256(Array(token.utf8))]
        settings.requestsPerSecond = 10_000
        settings.logLevel = "error"
        // A walk of this machine's files would take minutes.
        settings.snapshotExclude = try FileManager.default.contentsOfDirectory(atPath: "/").map {
            "/\($0)"
        }
        try change(&settings, folder)
        var agent = try Agent(
            settings, ima: IMALog(securityfs: folder), discovery: { FakePlatform() })
        agent.deadlines = deadlines
        let (ports, told) = AsyncStream.makeStream(of: Int.self)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [agent.server { told.yield($0) }], gracefulShutdownSignals: [],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let running = Task { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { throw CocoaError(.executableLoad) }
        do {
            try await body(TestAgent(port: port, folder: folder, agent: agent))
        } catch {
            running.cancel()
            _ = try? await running.value
            throw error
        }
        running.cancel()
        _ = try? await running.value
    }

    /// Puts logs where the kernel would have them.
    func putIMALog(binary: [UInt8], ascii: [UInt8]) throws {
        try File.writeAtomically("\(folder)/ima/binary_runtime_measurements", binary)
        try File.writeAtomically("\(folder)/ima/ascii_runtime_measurements", ascii)
    }

    /// What `curl` got.
    struct Answer: Sendable {
        var status: Int
        var headers: String
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONValue? {
            try? JSONReader.parse(body, limits: .init(byteCount: 1 << 24, values: 1 << 22))
        }
        /// The member `code` of a fault.
        var code: String? { json?["code"]?.string }
    }

    /// One request by `curl`, whose further options are `options`.
    func request(
        _ path: String, _ options: String..., login: Bool = false
    ) async throws -> Answer {
        try await onThread { try curl(path, options, login: login) }
    }

    private func curl(_ path: String, _ options: [String], login: Bool) throws -> Answer {
        var all =
            ["-sk", "--noproxy", "*", "--max-time", "300", "-i", "--http1.1", "-H", "Expect:"]
            + options
        if login { all += ["-H", "Authorization: Bearer \(Self.token)"] }
        let process = Foundation.Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        process.arguments = all + ["https://127.0.0.1:\(port)\(path)"]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = Array(try output.fileHandleForReading.readToEnd() ?? Data())
        process.waitUntilExit()
        guard let gap = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            return Answer(status: 0, headers: "", body: bytes)
        }
        let headers = String(decoding: bytes[..<gap.lowerBound], as: UTF8.self)
        return Answer(
            status: Int(headers.split(separator: " ").dropFirst().first ?? "") ?? 0,
            headers: headers, body: Array(bytes[gap.upperBound...]))
    }
}

/// Runs what blocks on a thread of its own, since the agent needs those that tests run on.
func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Foundation.Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// A processor that signs nothing, with a TPM beside it that is asked for real.
struct FakePlatform: EvidenceProvider {
    let kind = EvidenceKind.snp

    func evidence(
        over binding: ([UInt8]) -> FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage {
        var report = SNPReportBuilder()
        report.set(0x050, binding([]).bytes)
        do {
            return try EvidenceMessage(
                kind: kind, attestationKeyName: [], items: [EvidenceItem(.report, report.bytes)])
        } catch {
            throw .badReport(field: "items", problem: "\(error)")
        }
    }

    func configAnchor() throws(AttesterError) -> HardwareAnchor { .nothing }
    func checkEnding() throws(AttesterError) {}
    func endEvidence() throws(AttesterError) {}

    func quoting(
        _ device: TPM.Device, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> any EvidenceProvider {
        TPMQuoted(self, device, plan, kernel: RunningKernel(), hashing: OpenSSLHashing())
    }
}
