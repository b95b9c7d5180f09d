public import Bytes

/// What a log that replays proves about the start of a machine: the part that a policy can name.
///
/// Everything here was extended into a register that a quote vouches for, and what is more than a bare
/// digest was recomputed from the event's data. What could not be is in ``unexplained``.
public struct BootFacts: Sendable, Equatable {
    /// An image or a file: the digests of the banks that were verified.
    public struct Image: Sendable, Hashable {
        /// Digest by hash function; for a PE image its Authenticode digest.
        public let digests: [HashAlgorithm: [UInt8]]
    }

    /// A variable of Secure Boot, as it was before the firmware let anything else run.
    public struct Variable: Sendable, Hashable {
        /// The SHA-256 of its contents; of nothing where it does not exist.
        public let sha256: FixedBytes<32>
        /// Whether it is empty or absent.
        public let isEmpty: Bool
        /// The SHA-256 of each X.509 certificate in it, in order.
        public let certificates: [FixedBytes<32>]
    }

    /// What an image was let in for.
    public struct Authority: Sendable, Hashable {
        /// The variable that held it: `db`, or one of shim's such as `Shim`, `MokListRT`, `SbatLevel`.
        public let variable: String
        /// The SHA-256 of the certificate, or of the contents where it is none.
        public let sha256: FixedBytes<32>
        /// Whether it is a certificate.
        public let isCertificate: Bool
    }

    /// A section of a unified kernel image, measured by systemd-stub.
    public struct Section: Sendable, Hashable {
        /// Its name, with the dot.
        public let name: String
        /// The digests of its contents.
        public let digests: [HashAlgorithm: [UInt8]]
    }

    /// A kernel command line.
    public struct CommandLine: Sendable, Hashable {
        /// Who measured it.
        public enum Source: String, Sendable, Hashable {
            /// systemd-stub: a command line that is not part of the image.
            case systemdStub = "systemd-stub"
            /// GRUB: what it gives to the kernel, the kernel's path in front.
            case grub
            /// The kernel's own EFI stub: its load options.
            case linuxStub = "linux-stub"
        }
        /// Who measured it.
        public let source: Source
        /// The text; nil where the log holds only its digest.
        public let text: String?
        /// The digests of what was measured: UTF-16 with its end for the stubs, UTF-8 for GRUB.
        public let digests: [HashAlgorithm: [UInt8]]
    }

    /// An event that was extended and does not say what it stands for.
    public struct Unexplained: Sendable, Hashable {
        /// Why it counts for nothing.
        public enum Reason: String, Sendable, Hashable {
            /// The profile has no such type.
            case unknownType = "unknown event type"
            /// The digest is not that of the data.
            case digestMismatch = "the digest is not that of the data"
            /// The type does not belong into this register.
            case wrongRegister = "not a register for this type"
            /// The data is not of the form that the type wants.
            case malformedData = "data of another form than the type's"
            /// It was measured after the firmware was done with the register.
            case afterSeparator = "after the separator"
            /// It says something that an event before it says too, and the two differ.
            case contradiction = "contradicts an event before it"
            /// The firmware says that it leaves attempts to boot out of the log.
            case omission = "says that events are left out"
        }
        /// The event's place in the log, from 0.
        public let index: Int
        /// The register, in the sense of the log's source.
        public let register: Int
        /// The type.
        public let type: EventType
        /// Why.
        public let reason: Reason
    }

    /// Where the log comes from; it gives register numbers their meaning.
    public let source: EventLog.Source
    /// Whether Secure Boot was on; nil where no event proves either.
    public internal(set) var secureBoot: Bool?
    /// `PK`, `KEK`, `db`, `dbx`, `dbt`, `dbr`, `DeployedMode` and `AuditMode`, as far as measured.
    public internal(set) var variables: [String: Variable] = [:]
    /// What images were let in for, in order, each once.
    public internal(set) var authorities: [Authority] = []
    /// What was started to boot, in order.
    public internal(set) var bootApplications: [Image] = []
    /// Drivers that are not part of the firmware, in order.
    public internal(set) var drivers: [Image] = []
    /// Sections of a unified kernel image, in order.
    public internal(set) var ukiSections: [Section] = []
    /// The phases that systemd measured into PCR 11 after the image's sections; the log has no event of them.
    public internal(set) var phases: [String] = []
    /// Kernel command lines, in order, each once.
    public internal(set) var commandLines: [CommandLine] = []
    /// Initial RAM disks that the kernel's EFI stub was given, all of them in one digest each.
    public internal(set) var initrds: [Image] = []
    /// How many separators each register has.
    public internal(set) var separators: [Int: Int] = [:]
    /// Registers whose separator reports that the firmware failed.
    public internal(set) var failedRegisters: Set<Int> = []
    /// Events that were extended and cannot be explained.
    public internal(set) var unexplained: [Unexplained] = []

    /// Registers that were found to hold what the log says, be it nothing.
    public internal(set) var registers: Set<Int> = []
    /// Registers with events of which only the digest is proven: such an event may stand for anything that
    /// the register can hold. Types are not hashed, so what a log calls an event proves nothing.
    public internal(set) var opaqueRegisters: Set<Int> = []

    init(source: EventLog.Source) {
        self.source = source
    }
}
