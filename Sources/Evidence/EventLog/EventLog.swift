public import Bytes

/// What firmware, boot loader and kernel say they measured, event by event.
///
/// A log is hearsay until it replays to registers that a quote vouches for; `EventLogVerifier` sees to
/// that. Sources: TCG PC Client Platform Firmware Profile 1.06 (PFP), section 10; UEFI 2.10, section
/// 38.4 (confidential computing).
public struct EventLog: Sendable, Equatable {
    /// The longest log that is read, in bytes.
    public static let maximumByteCount = 16 * 1024 * 1024
    /// The most events that are read.
    public static let maximumEvents = 65536
    /// The most hash functions that a log may name.
    public static let maximumBanks = 16

    /// Where a log comes from; it decides what the register numbers mean.
    public enum Source: String, Sendable, Hashable {
        /// A TPM's log, of SHA-1 or crypto agile form: registers are PCR 0 to 23.
        case tpm
        /// A TD's log, the CCEL table's or a list of its events: register 0 is MRTD, 1 to 4 are RTMR 0 to 3.
        case confidentialComputing

        /// One past the highest register.
        public var registerCount: Int {
            switch self {
            case .tpm: 24
            case .confidentialComputing: 5
            }
        }

        /// A register's name for people: `PCR 7`, `RTMR0`.
        public func name(of register: Int) -> String {
            switch self {
            case .tpm: "PCR \(register)"
            case .confidentialComputing: register == 0 ? "MRTD" : "RTMR\(register - 1)"
            }
        }
    }

    /// One digest of an event.
    public struct Digest: Sendable, Hashable {
        /// The hash function, which also is the bank that it extends.
        public let algorithm: HashAlgorithm
        /// `algorithm.size` bytes.
        public let bytes: [UInt8]

        /// Joins a digest to its hash function.
        public init(_ algorithm: HashAlgorithm, _ bytes: [UInt8]) {
            self.algorithm = algorithm
            self.bytes = bytes
        }
    }

    /// One entry of the log.
    public struct Event: Sendable, Equatable {
        /// The register that was extended; beyond the source's own only where `type` is EV_NO_ACTION.
        public let register: Int
        /// What it stands for.
        public let type: EventType
        /// What was extended into each bank; not necessarily into each that the log names.
        public let digests: [Digest]
        /// What the writer says about it; hashed only for some types.
        public let data: [UInt8]

        /// Takes everything as given.
        public init(register: Int, type: EventType, digests: [Digest], data: [UInt8]) {
            self.register = register
            self.type = type
            self.digests = digests
            self.data = data
        }

        /// Whether it changes a register.
        public var extends: Bool { type != .noAction }

        /// What was extended into a bank.
        public func digest(_ algorithm: HashAlgorithm) -> [UInt8]? {
            digests.first { $0.algorithm == algorithm }?.bytes
        }
    }

    /// Where it comes from.
    public let source: Source
    /// The banks that it can speak of, in the order of the log; those nobody here computes left out.
    public let banks: [HashAlgorithm]
    /// The entries in order, without the one that describes the log itself.
    public let events: [Event]
    /// The locality that started the TPM: the last byte that PCR 0 began with; nil where the log is silent.
    public let startupLocality: UInt8?

    /// Joins events that were read or made elsewhere.
    ///
    /// - Throws: where a register, the number of events or a startup locality is not allowed.
    public init(
        source: Source, banks: [HashAlgorithm], events: [Event]
    ) throws(ParseError) {
        guard events.count <= Self.maximumEvents else {
            throw .lengthOutOfBounds(
                field: "events", length: events.count, minimum: 0, maximum: Self.maximumEvents)
        }
        var locality: UInt8?
        var startedRegister0 = false
        for event in events {
            if event.extends {
                guard (0..<source.registerCount).contains(event.register) else {
                    throw .outOfRange(field: "PCRIndex", value: UInt64(event.register))
                }
                startedRegister0 = startedRegister0 || event.register == 0
            } else if source == .tpm, let stated = try Self.startupLocality(event) {
                guard locality == nil, !startedRegister0 else {
                    throw .invalid(
                        field: "StartupLocality", rule: "stands once, before PCR 0 is extended")
                }
                locality = stated
            }
        }
        self.source = source
        self.banks = banks
        self.events = events
        startupLocality = locality
    }

    /// TCG_EfiStartupLocalityEvent (PFP, section 10.4.5.3): 16 bytes of signature and the locality.
    private static func startupLocality(_ event: Event) throws(ParseError) -> UInt8? {
        let signature = Array("StartupLocality".utf8) + [0]
        guard event.data.starts(with: signature) else { return nil }
        guard event.data.count == signature.count + 1, let locality = event.data.last else {
            throw .lengthOutOfBounds(
                field: "StartupLocality", length: event.data.count, minimum: 17, maximum: 17)
        }
        // 0 and 3 are TPM2_Startup's localities, 4 stands for an H-CRTM sequence before it.
        guard [0, 3, 4].contains(locality) else {
            throw .outOfRange(field: "StartupLocality", value: UInt64(locality))
        }
        return locality
    }
}
