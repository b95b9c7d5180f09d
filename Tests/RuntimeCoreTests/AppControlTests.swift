import AgentAPI
import Bytes
import Glibc
import Linux
import OpenSSL
import Synchronization
import Testing

@testable import RuntimeCore

/// An application and the program that starts it, in a folder of the test's own.
private final class World {
    let folder: ScratchFolder
    let settings: AppSettings
    let journal = Mutex<[String]>([])

    /// - Parameter tool: the text of a shell script in the place of systemctl or supervisorctl; it finds its
    ///   own folder in `$dir` and notes its words itself.
    init(
        _ type: AppSettings.ServiceType, name: String = "web", allowsUnencrypted: Bool = true,
        tool: String = ""
    ) throws {
        folder = try ScratchFolder()
        settings = try AppSettings(
            type: type, name: name, folder: AgentFolder(root: folder.path),
            allowsUnencrypted: allowsUnencrypted)
        try folder.program(
            "tool",
            """
            dir=\(folder.path)
            printf '%s ' "$@" >> $dir/words
            printf '\\n' >> $dir/words
            \(tool)
            """)
    }

    func control(sysfs: String = "/nowhere") -> AppControl {
        AppControl(
            settings, ServiceRunner(settings, tool: "\(folder.path)/tool"),
            encryption: DiskEncryption(sysfs: sysfs), journal: { [self] in note($0) })
    }

    private func note(_ line: String) { journal.withLock { $0.append(line) } }

    var lines: [String] { journal.withLock { $0 } }

    /// What the tool was called with, call by call.
    var words: [String] {
        let bytes = (try? File.read("\(folder.path)/words", atMost: 65536)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            String($0.dropLast())
        }
    }
}

extension World: @unchecked Sendable {}

@Suite("The owner's application")
struct AppControlTests {
    private static let systemctl = """
        case "$3" in
        start|restart) echo active > $dir/state ;;
        stop) echo inactive > $dir/state ;;
        is-active) cat $dir/state 2>/dev/null || echo inactive; exit 3 ;;
        esac
        """

    @Test("systemctl gets words, never a line, and the unit's state comes back")
    func systemd() throws {
        let world = try World(.systemd, tool: Self.systemctl)
        let control = world.control()
        #expect(try control.status().state == "stopped")
        #expect(try control.start().state == "running")
        #expect(try control.restart().state == "running")
        #expect(try control.stop().state == "stopped")
        let options = "--no-ask-password --no-pager"
        #expect(
            world.words.filter { !$0.contains("is-active") }
                == ["start", "restart", "stop"].map { "\(options) \($0) web" })
        #expect(
            world.lines.map { $0.prefix { $0 != ":" } } == ["app start", "app restart", "app stop"])
    }

    @Test(
        "states of systemd are read as one word",
        arguments: [
            ("active", "running"), ("activating", "running"), ("failed", "failed"),
            ("inactive", "stopped"), ("something new", "unknown"), ("", "unknown"),
        ])
    func systemdStates(word: String, state: String) throws {
        let world = try World(.systemd, tool: "echo '\(word)'")
        #expect(try world.control().status().state == state)
    }

    @Test("supervisorctl is not asked to start what runs, nor to stop what does not")
    func supervisor() throws {
        let world = try World(
            .supervisor,
            tool: """
                state=$(cat $dir/state 2>/dev/null || echo STOPPED)
                case "$1" in
                start) [ $state = RUNNING ] && exit 7; echo RUNNING > $dir/state ;;
                stop) [ $state = RUNNING ] || exit 7; echo STOPPED > $dir/state ;;
                status) echo "web                 $state   pid 12, uptime 0:00:05" ;;
                esac
                """)
        let control = world.control()
        #expect(try control.stop().state == "stopped")
        #expect(try control.restart().state == "running")
        #expect(try control.start().state == "running")
        #expect(try control.restart().state == "running")
        #expect(try control.stop().state == "stopped")
        #expect(
            world.words.filter { $0 != "status web" }
                == ["start web", "stop web", "start web", "stop web"])
    }

    @Test("a refusal tells the command, its exit status and what it said, made printable")
    func refused() throws {
        let world = try World(
            .systemd, tool: "printf 'Unit not found.\\n\\033[31mred\\n'; exit 5")
        #expect(
            throws: AppError.refused(
                command: "start web", status: 5, output: "Unit not found.; ?[31mred")
        ) { _ = try world.control().start() }
        #expect(world.lines.count == 1)
    }

    @Test("a program of the agent's own is started, found dead, and stopped with its children")
    func standalone() throws {
        let folder = try ScratchFolder()
        let program = try folder.program(
            "app", "[ -f $BOOTGATE_APP_CONF ] || exit 1\nsleep 600 & wait\n")
        let world = try World(.standalone, name: program)
        let control = world.control()
        #expect(try control.status().state == "stopped")
        _ = try control.start()
        #expect(try waits(for: "failed", control))
        #expect(try control.initialise([1]).state == "running")
        #expect(try control.start().state == "running")
        #expect(try control.stop().state == "stopped")
        let missing = try World(.standalone, name: "/no/such/program")
        #expect(throws: AppError.self) { _ = try missing.control().start() }
    }

    private func waits(for state: String, _ control: AppControl) throws -> Bool {
        for _ in 0..<6000 {
            if try control.status().state == state { return true }
            Clock.sleep(milliseconds: 10)
        }
        return false
    }

    @Test("a configuration is written for root alone, replaced as a whole, and told by its digest")
    func initialise() throws {
        let world = try World(.systemd, tool: Self.systemctl)
        let control = world.control()
        #expect(try control.status().configurationDigest == nil)
        let path = "\(world.folder.path)/data/app/app.conf"
        for content in [[UInt8](repeating: 0, count: AppControl.configurationLimit), [1, 2, 3]] {
            let status = try control.initialise(content)
            #expect(status.state == "running")
            #expect(try File.read(path, atMost: 1 << 20) == content)
            #expect(status.configurationDigest == OpenSSLHashing().sha256(content).hex)
            #expect(try FileStatus(of: FileDescriptor(path, .read)).mode == 0o600)
        }
        #expect(try File.names(in: "\(world.folder.path)/data/app") == ["app.conf"])
        #expect(
            throws: AppError.tooLong(count: 1_048_577, limit: 1_048_576)
        ) { _ = try control.initialise([UInt8](repeating: 0, count: 1_048_577)) }
        #expect(try File.read(path, atMost: 1 << 20) == [1, 2, 3])
    }

    @Test(
        "no digest is told of a file behind a link, and a pipe in the place of one is not waited for"
    )
    func notAFile() throws {
        let world = try World(.systemd, tool: Self.systemctl)
        let control = world.control()
        _ = try control.initialise([1])
        let path = "\(world.folder.path)/data/app/app.conf"
        try File.rename(path, to: "\(path).real")
        try #require(unsafe symlink("\(path).real", path) == 0)
        #expect(try control.status().configurationDigest == nil)
        try File.remove(path)
        try #require(unsafe mkfifo(path, 0o600) == 0)
        #expect(try control.status().configurationDigest == nil)
    }

    @Test("no configuration is written to a disk that is not encrypted, and nothing is restarted")
    func unencrypted() throws {
        let world = try World(.systemd, allowsUnencrypted: false, tool: Self.systemctl)
        #expect {
            _ = try world.control().initialise([1])
        } throws: { error in
            "\(error)".contains("encrypted")
                && "\(error)".hasSuffix("set allow_unencrypted = true in [app]")
        }
        #expect(!File.exists("\(world.folder.path)/data/app/app.conf"))
        #expect(world.words.isEmpty)
        let number = try DeviceNumber(holding: world.folder.path)
        try world.folder.put("sys/dev/block/\(number)/dm/uuid", "CRYPT-LUKS2-00-data\n")
        _ = try world.control(sysfs: "\(world.folder.path)/sys").initialise([1])
        #expect(File.exists("\(world.folder.path)/data/app/app.conf"))
    }

    @Test(
        "names that are no service's are refused, whatever they would do",
        arguments: [
            (AppSettings.ServiceType.systemd, ""), (.systemd, "-H"), (.systemd, "a b"),
            (.systemd, "a;b"), (.systemd, "../a"), (.systemd, "/bin/sh"), (.supervisor, "all\n"),
            (.supervisor, ".."), (.standalone, "app"), (.standalone, "/bin/sh -c"),
            (.systemd, String(repeating: "a", count: 256)),
        ])
    func names(type: AppSettings.ServiceType, name: String) {
        #expect {
            _ = try AppSettings(type: type, name: name, folder: AgentFolder())
        } throws: { error in
            "\(error)".hasPrefix("service_name: expected ")
        }
    }

    @Test("a relative storage is below the agent's root, and nothing leads out of it")
    func storage() throws {
        let settings = try AppSettings(type: .systemd, name: "web@1.service", folder: AgentFolder())
        #expect(settings.configuration == "/var/lib/bootgate/data/app/app.conf")
        let absolute = try AppSettings(
            type: .systemd, name: "web", storage: "/srv/app", folder: AgentFolder())
        #expect(absolute.configuration == "/srv/app/app.conf")
        for wrong in ["", "../app", "data/../../etc"] {
            #expect(throws: AppError.self) {
                _ = try AppSettings(
                    type: .systemd, name: "web", storage: wrong, folder: AgentFolder())
            }
        }
    }
}

@Suite("Whether a disk is encrypted")
struct DiskEncryptionTests {
    private let folder: ScratchFolder
    private var disks: DiskEncryption { DiskEncryption(sysfs: folder.path) }

    init() throws {
        folder = try ScratchFolder()
    }

    private func put(_ number: String, uuid: String? = nil, below: [String] = []) throws {
        try folder.put("dev/block/\(number)/dev", "\(number)\n")
        if let uuid { try folder.put("dev/block/\(number)/dm/uuid", "\(uuid)\n") }
        for (index, device) in below.enumerated() {
            try folder.put("dev/block/\(number)/slaves/d\(index)/dev", "\(device)\n")
        }
    }

    private func isEncrypted(_ number: String) throws -> Bool {
        disks.isEncrypted(try #require(DeviceNumber(number)))
    }

    @Test("a mapping of cryptsetup's is, a bare disk and a device of no disk's are not")
    func plain() throws {
        try put("254:0", uuid: "CRYPT-LUKS2-0123-root")
        try put("254:1", uuid: "CRYPT-PLAIN-swap")
        try put("8:1")
        #expect(try isEncrypted("254:0"))
        #expect(try isEncrypted("254:1"))
        #expect(try !isEncrypted("8:1"))
        #expect(try !isEncrypted("0:42"))
    }

    @Test("what only checks its blocks is not")
    func integrity() throws {
        try put("8:1")
        try put("254:0", uuid: "CRYPT-INTEGRITY-data", below: ["8:1"])
        try put("254:1", uuid: "CRYPT-VERITY-00-usr", below: ["8:1"])
        #expect(try !isEncrypted("254:0"))
        #expect(try !isEncrypted("254:1"))
    }

    @Test("a volume over several disks is where all of them are")
    func stacked() throws {
        try put("8:1")
        try put("254:0", uuid: "CRYPT-LUKS2-01-a", below: ["8:1"])
        try put("254:1", uuid: "CRYPT-LUKS2-02-b", below: ["8:1"])
        try put("254:2", uuid: "LVM-xyz", below: ["254:0", "254:1"])
        try put("254:3", uuid: "LVM-xyz", below: ["254:0", "8:1"])
        #expect(try isEncrypted("254:2"))
        #expect(try !isEncrypted("254:3"))
    }

    @Test("a stack without an end is not, and a folder that is not there is told")
    func loop() throws {
        try put("254:0", uuid: "LVM-x", below: ["254:0"])
        #expect(try !isEncrypted("254:0"))
        #expect(disks.problem(below: "/no/such/folder")?.contains("No such file") == true)
    }
}
