import Bytes
import Foundation
import Synchronization

/// A swtpm process with a state of its own, ended when the value dies.
public final class SoftwareTPM {
    /// Its command port on the loopback.
    public let port: UInt16
    private var process: Process
    private let directory: String

    /// Whether swtpm is installed; a test that needs one says when it is not.
    public static let isInstalled: Bool = {
        let found = FileManager.default.isExecutableFile(atPath: "/usr/bin/swtpm")
        if !found { print("SKIPPED: /usr/bin/swtpm is not installed, no test asks a real TPM") }
        return found
    }()

    /// Below the ports that the kernel gives to others, and each tried once in this process.
    private static let ports = Atomic<UInt16>(UInt16.random(in: 5000..<16000) * 2)

    /// Starts one that has not been used before.
    public init() throws {
        for _ in 0..<8 {
            let port = Self.ports.wrappingAdd(2, ordering: .relaxed).oldValue
            let directory = NSTemporaryDirectory() + "bootgate-swtpm-\(UUID().uuidString)"
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true)
            let process = try Self.start(port, directory)
            if Self.waits(for: port, process) {
                self.port = port
                self.directory = directory
                self.process = process
                return
            }
            kill(process.processIdentifier, SIGKILL)
            try? FileManager.default.removeItem(atPath: directory)
        }
        throw CocoaError(.executableLoad)
    }

    /// Kills it in the middle of whatever it does.
    public func vanish() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Starts it again after ``vanish()``, on the same port and with what it had kept.
    public func comeBack() throws {
        process = try Self.start(port, directory)
        guard Self.waits(for: port, process) else { throw CocoaError(.executableLoad) }
    }

    private static func start(_ port: UInt16, _ directory: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/swtpm")
        process.arguments = [
            "socket", "--tpm2", "--tpmstate", "dir=\(directory)", "--server",
            "type=tcp,port=\(port),bindaddr=127.0.0.1", "--ctrl",
            "type=tcp,port=\(port + 1),bindaddr=127.0.0.1", "--flags",
            "not-need-init,startup-clear",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    deinit {
        // It inherits a signal mask from the test's threads, so that SIGTERM may never arrive.
        kill(process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Makes a primary key of the endorsement hierarchy from a marshalled TPMT_PUBLIC, and keeps it at
    /// `handle`, as a paravisor does. No other connection may be open.
    public func keepKey(_ template: [UInt8], at handle: UInt32) throws {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(connection) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe connect(connection, generic, length)
            }
        }
        guard result == 0 else { throw CocoaError(.fileReadUnknown) }
        // TPM_RS_PW with an empty password.
        let password: [UInt8] = [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0]
        var create = ByteWriter()
        create.raw([0x40, 0, 0, 0x0b] + password + [0, 4, 0, 0, 0, 0])
        create.opaque(template, lengthBytes: 2)
        create.zeros(2 + 4)
        let made = try Self.command(connection, 0x131, create.bytes)
        var keep = ByteWriter()
        keep.raw([0x40, 0, 0, 1] + made[10..<14] + password)
        keep.bigEndian(handle)
        _ = try Self.command(connection, 0x120, keep.bytes)
    }

    /// One command with sessions (TPM library, part 1, clause 18).
    private static func command(
        _ connection: Int32, _ code: UInt32, _ rest: [UInt8]
    ) throws -> [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(UInt16(0x8002))
        writer.bigEndian(UInt32(10 + rest.count))
        writer.bigEndian(code)
        writer.raw(rest)
        let command = writer.bytes
        guard unsafe write(connection, command, command.count) == command.count else {
            throw CocoaError(.fileWriteUnknown)
        }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(connection, &answer, answer.count)
        guard count >= 10, answer[6..<10].allSatisfy({ $0 == 0 }) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return Array(answer[..<count])
    }

    /// Whether `process` comes to listen on both ports; connecting to find out would use up the only connection
    /// that swtpm takes.
    private static func waits(for port: UInt16, _ process: Process) -> Bool {
        for _ in 0..<2400 {
            guard process.isRunning else { return false }
            let own = sockets(of: process)
            if !own.isDisjoint(with: listeners(port)), !own.isDisjoint(with: listeners(port + 1)) {
                return true
            }
            usleep(25000)
        }
        return false
    }

    /// Inodes of the sockets that listen on a port (proc_net_tcp.rst of the kernel: the tenth column).
    private static func listeners(_ port: UInt16) -> Set<String> {
        let name = ":" + String(port, radix: 16, uppercase: true)
        let table = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? ""
        let rows = table.split(separator: "\n").map { $0.split(separator: " ") }
        let ours = rows.filter { $0.count > 9 && $0[1].hasSuffix(name) && $0[3] == "0A" }
        return Set(ours.map { "socket:[\($0[9])]" })
    }

    /// What a process has open, by the kernel's names.
    private static func sockets(of process: Process) -> Set<String> {
        let folder = "/proc/\(process.processIdentifier)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return Set(
            names.compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            })
    }
}
