import Foundation

/// A swtpm process with a state of its own, ended when the value dies.
public final class SoftwareTPM {
    /// Its command port on the loopback.
    public let port: UInt16
    private let process: Process
    private let directory: String

    /// Whether swtpm is installed; a test that needs one says when it is not.
    public static let isInstalled: Bool = {
        let found = FileManager.default.isExecutableFile(atPath: "/usr/bin/swtpm")
        if !found { print("SKIPPED: /usr/bin/swtpm is not installed, no test asks a real TPM") }
        return found
    }()

    /// Starts one that has not been used before.
    public init() throws {
        for _ in 0..<8 {
            let port = UInt16.random(in: 20000...60000) & ~1
            let directory = NSTemporaryDirectory() + "bootgate-swtpm-\(UUID().uuidString)"
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true)
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

    deinit {
        // It inherits a signal mask from the test's threads, so that SIGTERM may never arrive.
        kill(process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Whether the kernel lists a listener on `port`; connecting to find out would use up the only
    /// connection that swtpm takes.
    private static func waits(for port: UInt16, _ process: Process) -> Bool {
        let entry = ":" + String(port, radix: 16, uppercase: true) + " 00000000:0000 0A"
        for _ in 0..<200 {
            guard process.isRunning else { return false }
            let table = try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)
            if table?.contains(entry) == true { return true }
            usleep(25000)
        }
        return false
    }
}
