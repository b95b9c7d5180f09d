import Bytes
public import Linux

/// What this machine calls itself; all of it is the kernel's word.
public struct Host: Equatable, Sendable {
    /// Its name.
    public let name: String
    /// Another one for each boot.
    public let bootID: String

    /// Names a host.
    public init(name: String, bootID: String) {
        self.name = name
        self.bootID = bootID
    }

    /// Asks the kernel.
    ///
    /// - Parameter procfs: where `/proc` is.
    public init(procfs: String = "/proc") throws(SystemError) {
        name = try Self.line("\(procfs)/sys/kernel/hostname")
        bootID = try Self.line("\(procfs)/sys/kernel/random/boot_id")
    }

    /// The first line as a statement may hold it: 1 to 256 characters of printable ASCII.
    private static func line(_ path: String) throws(SystemError) -> String {
        let bytes = try File.read(path, atMost: 4096).prefix { $0 != UInt8(ascii: "\n") }
        guard !bytes.isEmpty else {
            throw SystemError(call: "an empty line", subject: path, code: 0)
        }
        let printable = bytes.prefix(256).map { (0x21...0x7e).contains($0) ? $0 : 0x5f }
        return String(decoding: printable, as: UTF8.self)
    }
}
