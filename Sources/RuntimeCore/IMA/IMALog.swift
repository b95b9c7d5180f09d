public import Linux

/// The kernel's log of what it has measured, read where it lies and never held whole.
///
/// Source: Documentation/ABI/testing/ima_policy and security/integrity/ima/ima_fs.c of Linux. The files
/// only ever grow, by whole entries.
public struct IMALog: Sendable, Equatable {
    /// The two forms in which the kernel shows it.
    public enum Form: String, Sendable, CaseIterable {
        /// What can be replayed: `binary_runtime_measurements`.
        case binary
        /// What people read: `ascii_runtime_measurements`.
        case ascii
    }

    /// Where securityfs is mounted.
    public let securityfs: String

    /// Names the log; nothing is opened.
    public init(securityfs: String = "/sys/kernel/security") {
        self.securityfs = securityfs
    }

    /// Whether the kernel keeps a log.
    public var exists: Bool { File.exists(path(.binary)) }

    /// Opens the log; the kernel lets root alone.
    public func open(_ form: Form) throws(SystemError) -> IMALogFile {
        IMALogFile(try FileDescriptor(path(form), .read))
    }

    /// How many entries it has now: `runtime_measurements_count`.
    public func count() throws(SystemError) -> Int {
        let path = "\(securityfs)/ima/runtime_measurements_count"
        let bytes = try File.read(path, atMost: 64).prefix { $0 != UInt8(ascii: "\n") }
        guard let count = Int(String(decoding: bytes, as: UTF8.self)), count >= 0 else {
            throw SystemError(call: "a decimal number was expected", subject: path, code: 0)
        }
        return count
    }

    /// Whether the first entry, the aggregate of the boot, is by SHA-1: then it stands for registers of
    /// that bank.
    var isAggregatedBySHA1: Bool {
        guard let start = try? open(.ascii).read(at: 0, upTo: 256) else { return false }
        // PCR, template digest, template, then the digest with the name of its function.
        let fields = String(decoding: start, as: UTF8.self).split(separator: " ", maxSplits: 4)
        return fields.count == 5 && (fields[3].hasPrefix("sha1:") || fields[2] == "ima")
    }

    private func path(_ form: Form) -> String {
        "\(securityfs)/ima/\(form.rawValue)_runtime_measurements"
    }
}

/// An open log. Whoever reads it keeps the offset.
public final class IMALogFile: Sendable {
    private let file: FileDescriptor

    init(_ file: consuming FileDescriptor) {
        self.file = file
    }

    /// Up to `count` bytes from `offset` on; none at the end that the log has now.
    ///
    /// The kernel finds the place at once only where the last read of this file ended.
    public func read(at offset: UInt64, upTo count: Int = 65536) throws(SystemError) -> [UInt8] {
        guard offset <= UInt64(Int64.max) - UInt64(count) else { return [] }
        return try file.readAvailable(at: offset, upTo: count)
    }
}
