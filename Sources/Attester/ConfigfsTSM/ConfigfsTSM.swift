public import Bytes
import Linux
import Protocol

/// The kernel's common interface to secure processors: `/sys/kernel/config/tsm/report`.
///
/// Source: Documentation/ABI/testing/configfs-tsm of Linux 6.7 and later. A directory made there is a
/// request; `inblob` takes the report data, `outblob` makes and yields the report. The kernel counts
/// writes in `generation`, by which a second writer is noticed.
public struct ConfigfsTSM: Sendable {
    /// Where Linux has it.
    public static let defaultDirectory = "/sys/kernel/config/tsm/report"
    /// Reports, quotes and certificate tables are never larger, in bytes.
    public static let blobLimit = EvidenceItem.maximumLength
    /// How often a busy processor or a race is answered by another attempt.
    static let attempts = 12

    /// How long to wait before attempt number `attempt`, in milliseconds.
    static func delay(after attempt: Int) -> UInt64 {
        min(20 << UInt64(attempt - 1), 1000)
    }

    /// What one request yielded.
    public struct Response: Equatable, Sendable {
        /// The driver's name, such as `sev_guest`.
        public let provider: String
        /// `outblob`: the report or quote.
        public let report: [UInt8]
        /// `auxblob`: the certificate table on SNP; empty where there is none.
        public let auxiliary: [UInt8]
        /// `manifestblob`: what an SVSM says of its services; empty where none was asked for.
        public let manifest: [UInt8]
    }

    /// A service of a more privileged level whose report is asked for instead of the guest's own.
    public struct Service: Equatable, Sendable {
        /// `service_provider`.
        let provider: String
        /// `service_guid`.
        let guid: String

        /// The vTPM of an SVSM (SVSM specification, table of attestation services): its manifest is the
        /// public area of its endorsement key.
        public static let svsmTPM = Service(
            provider: "svsm", guid: "c476f1eb-0123-45a5-9641-b4e7dde5bfe3")
    }

    private let directory: String
    private let files: any Kernel

    /// Uses the interface at `directory`; touches nothing yet.
    public init(directory: String = Self.defaultDirectory) {
        self.init(directory: directory, files: RunningKernel())
    }

    init(directory: String, files: any Kernel) {
        self.directory = directory
        self.files = files
    }

    /// The name of the driver that would answer.
    public func provider() throws(AttesterError) -> String {
        try withEntry { entry throws(AttesterError) in try provider(entry) }
    }

    /// Whether a more privileged level of this machine can be asked about its services.
    public func hasServices() throws(AttesterError) -> Bool {
        try withEntry { entry throws(AttesterError) in files.exists("\(entry)/service_provider") }
    }

    /// Has the secure processor sign `reportData`.
    ///
    /// Tries again with growing pauses while the processor is busy or somebody else writes to the
    /// same request. The request is removed on every path.
    ///
    /// - Parameter service: whose report, instead of the guest's own.
    public func response(
        over reportData: FixedBytes<64>, of service: Service? = nil
    ) throws(AttesterError) -> Response {
        try withEntry { entry throws(AttesterError) in
            var last = ""
            for attempt in 0..<Self.attempts {
                if attempt > 0 {
                    files.pause(milliseconds: Self.delay(after: attempt))
                }
                do throws(SystemError) {
                    if let response = try ask(entry, reportData, service) { return response }
                    last = "another process wrote to the request"
                } catch {
                    guard error.isTransient else { throw AttesterError(error) }
                    last = error.description
                }
            }
            throw .gaveUp(attempts: Self.attempts, last: last)
        }
    }

    /// One attempt; nil where the generation shows that the answer may be to another's question.
    private func ask(
        _ entry: String, _ reportData: FixedBytes<64>, _ service: Service?
    ) throws(SystemError) -> Response? {
        let before = try number(entry, "generation")
        var writes: UInt64 = 1
        if let service {
            try files.write("\(entry)/service_provider", Array(service.provider.utf8))
            try files.write("\(entry)/service_guid", Array(service.guid.utf8))
            writes += 2
        } else if let floor = try optionalNumber(entry, "privlevel_floor"), floor > 0 {
            // Below an SVSM the guest runs at a lower privilege, and only that may be asked for.
            try files.write("\(entry)/privlevel", Array("\(floor)".utf8))
            writes += 1
        }
        try files.write("\(entry)/inblob", reportData.bytes)
        let report = try files.read("\(entry)/outblob", atMost: Self.blobLimit)
        let auxiliary = try optional(entry, "auxblob")
        let manifest = service == nil ? nil : try optional(entry, "manifestblob")
        let provider = try text(entry, "provider")
        guard try number(entry, "generation") == before + writes else { return nil }
        return Response(
            provider: provider, report: report, auxiliary: auxiliary ?? [],
            manifest: manifest ?? [])
    }

    private func withEntry<T>(
        _ body: (String) throws(AttesterError) -> T
    ) throws(AttesterError) -> T {
        let entry = "\(directory)/bootgate-\(files.randomName())"
        do {
            try files.makeDirectory(entry)
        } catch {
            // Without a driver the kernel has no such directory, or refuses to make a request in it; any
            // other refusal is that of an interface which is there.
            guard error.isNotFound || error.isNoDevice else { throw AttesterError(error) }
            throw .noPlatform(directory: directory)
        }
        defer { try? files.removeDirectory(entry) }
        return try body(entry)
    }

    private func provider(_ entry: String) throws(AttesterError) -> String {
        do {
            return try text(entry, "provider")
        } catch {
            throw AttesterError(error)
        }
    }

    private func text(_ entry: String, _ name: String) throws(SystemError) -> String {
        let bytes = try files.read("\(entry)/\(name)", atMost: 256)
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private func number(_ entry: String, _ name: String) throws(SystemError) -> UInt64 {
        guard let number = UInt64(try text(entry, name)), number < .max - 2 else {
            throw SystemError(
                call: "a decimal number was expected", subject: "\(entry)/\(name)", code: 0)
        }
        return number
    }

    private func optionalNumber(
        _ entry: String, _ name: String
    ) throws(SystemError) -> UInt64? {
        do {
            return try number(entry, name)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    private func optional(_ entry: String, _ name: String) throws(SystemError) -> [UInt8]? {
        do {
            return try files.read("\(entry)/\(name)", atMost: Self.blobLimit)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
