import AdminAPI
import Foundation
import LUKS
import Synchronization
import Testing

@testable import OwnerCLI

/// `bootgate` as it was built beside these tests.
func program() throws -> URL {
    let here = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()
    let names = ["bootgate", "OwnerCLI"].map { here.appendingPathComponent($0) }
    return try #require(names.first { FileManager.default.isExecutableFile(atPath: $0.path) })
}

struct Ended {
    let status: Int32
    let output: String
    let errors: String
}

/// Threads of the test runner block signals, which a program would inherit.
func start(_ process: Process) throws {
    var none = sigset_t()
    var own = sigset_t()
    unsafe sigemptyset(&none)
    unsafe pthread_sigmask(SIG_SETMASK, &none, &own)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &own, nil) }
    try process.run()
}

func run(
    _ arguments: [String], input: String = "", in folder: TestFolder,
    environment: [String: String] = [:], killedAfter milliseconds: UInt32? = nil,
    endedWhen isTime: (() throws -> Bool)? = nil
) throws -> Ended {
    let process = Process()
    process.executableURL = try program()
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stderr
    try start(process)
    try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    if let milliseconds {
        usleep(milliseconds * 1000)
        kill(process.processIdentifier, SIGKILL)
    }
    if let isTime {
        while try !isTime() { usleep(10_000) }
        process.terminate()
    }
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    let errors = stderr.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Ended(
        status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
        errors: String(decoding: errors, as: UTF8.self))
}

private let policy = """
    name = "web"
    [[measurement]]
    label = "image"
    sha384 = "\(String(repeating: "a4", count: 48))"
    covers = ["firmware", "kernel", "initramfs", "command line"]
    """

private func enrolling(_ disk: TestDisk, _ broker: StubBroker) -> [String] {
    [
        "--socket", broker.socket, "vm", "enroll", "web-1", "--policy", "web.toml", "--disk",
        disk.path, "--broker", "10.0.2.2:7411", "--passphrase-fd", "0",
    ]
}

@Test(
    "wrong usage ends with 64, and says what is right",
    arguments: [
        ["frob"], ["vm", "enroll"], ["launches", "--limit", "0"], ["why"], ["vm", "list", "extra"],
        ["completions", "tcsh"], ["launches", "--decision", "maybe"],
    ])
func usage(arguments: [String]) throws {
    let ended = try run(arguments, in: TestFolder())
    #expect(ended.status == 64)
    #expect(ended.output.isEmpty)
    #expect(ended.errors.contains("Usage: bootgate"))
}

@Test("no broker ends with 69, and says what to do")
func noBroker() throws {
    let folder = try TestFolder()
    for arguments in [["launches"], ["vm", "list"], ["why", "web-1"], ["policy", "list"]] {
        let ended = try run(["--socket", "none.sock"] + arguments, in: folder)
        #expect(ended.status == 69)
        #expect(ended.errors.contains("no broker at none.sock: is bootgate-broker running?"))
        #expect(ended.errors.contains("Next: "))
    }
    let ended = try run(["--json", "--socket", "none.sock", "launches"], in: folder)
    #expect(ended.output.contains("\"status\":69"))
}

@Test(
    "names, files and addresses that cannot be used end with 2",
    arguments: [
        ["vm", "show", "Web_1"], ["policy", "check", "missing.toml"],
        ["policy", "check", "bad.toml"],
        ["init", "--directory", "x", "--address", "a b"],
        ["init", "--directory", "x", "--listen", "7"],
        ["vm", "enroll", "web-1", "--policy", "web.toml", "--disk", "bad.toml"],
        ["vm", "enroll", "web-1", "--policy", "web.toml", "--disk", "missing.img"],
    ])
func unusable(arguments: [String]) throws {
    let folder = try TestFolder()
    try "name = \"web\"\nfrob = 1\n".write(
        toFile: folder.path + "/bad.toml", atomically: true, encoding: .utf8)
    let before = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    let ended = try run(arguments, in: folder)
    #expect(ended.status == 2, "\(ended.errors)")
    #expect(ended.errors.hasPrefix("bootgate: "))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == before)
}

@Test(
    "the broker's own words reach the owner, with the exit code of their kind",
    arguments: [
        (400, "invalid", 2), (404, "not found", 2), (409, "conflict", 2), (403, "forbidden", 69),
        (500, "internal", 70),
    ])
func faults(status: Int, code: String, expected: Int32) throws {
    let folder = try TestFolder()
    let broker = try StubBroker(in: folder)
    defer { broker.stop() }
    broker.state.withLock {
        $0.fixedAnswer = (status, #"{"error":{"code":"\#(code)","message":"so it is"}}"#)
    }
    let ended = try run(["--socket", broker.socket, "launches"], in: folder)
    #expect(ended.status == expected)
    #expect(ended.errors.contains("so it is"))
}

@Test("an answer that is no JSON of ours is a fault, not a verdict")
func notJSON() throws {
    let folder = try TestFolder()
    let broker = try StubBroker(in: folder)
    defer { broker.stop() }
    for body in ["", "{", "[]", "null"] {
        broker.state.withLock { $0.fixedAnswer = (200, body) }
        #expect(try run(["--socket", broker.socket, "why", "L-1"], in: folder).status == 70)
    }
}

@Test("vm enroll gives the broker what opens the disk, and prints what to launch with")
func enrollsWhole() throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    let broker = try StubBroker(in: folder)
    defer { broker.stop() }
    try policy.write(toFile: folder.path + "/web.toml", atomically: true, encoding: .utf8)
    let passphrase = String(decoding: ownerPassphrase, as: UTF8.self)
    let ended = try run(enrolling(disk, broker), input: passphrase, in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(ended.output.hasPrefix("Keyslot 1 added, header and volume key digests recorded"))
    #expect(ended.output.contains("kernel-hashes=on,host-data="))
    let enrolment = broker.state.withLock { $0.vms["web-1"] }
    #expect(try disk.boots(with: enrolment))
    #expect(broker.state.withLock { $0.policies["web"] } == policy)
    let gateConf = try String(contentsOfFile: folder.path + "/web-1/gate.conf", encoding: .utf8)
    #expect(gateConf == enrolment?.terms.gateConf)
    let wrong = try run(enrolling(disk, broker), input: "wrong", in: folder)
    #expect(wrong.status == 2)
    #expect(wrong.errors.contains("no keyslot opens with this passphrase"))
    #expect(try disk.boots(with: enrolment))
}

@Test("a policy that needs a TPM's quote has the VM quote it, and one enrolled so stays so")
func enrollsQuoting() throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    let broker = try StubBroker(in: folder)
    defer { broker.stop() }
    let passphrase = String(decoding: ownerPassphrase, as: UTF8.self)
    for (extra, expected) in [("", "no"), ("\n[tpm]\nrequired = true\n", "yes"), ("", "yes")] {
        try (policy + extra).write(
            toFile: folder.path + "/web.toml", atomically: true, encoding: .utf8)
        let ended = try run(enrolling(disk, broker), input: passphrase, in: folder)
        #expect(ended.status == 0, "\(ended.errors)")
        let gateConf = try String(
            contentsOfFile: folder.path + "/web-1/gate.conf", encoding: .utf8)
        #expect(gateConf.contains("tpm_quote = \(expected)\n"))
    }
}

@Test("killed by signal 9 at any time, a repeat mends disk, broker and gate.conf")
func killed() throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    let broker = try StubBroker(in: folder)
    defer { broker.stop() }
    try policy.write(toFile: folder.path + "/web.toml", atomically: true, encoding: .utf8)
    let passphrase = String(decoding: ownerPassphrase, as: UTF8.self)
    for milliseconds in stride(from: UInt32(5), to: 250, by: 12) {
        _ = try run(
            enrolling(disk, broker), input: passphrase, in: folder, killedAfter: milliseconds)
    }
    let ended = try run(enrolling(disk, broker), input: passphrase, in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(try disk.boots(with: broker.state.withLock { $0.vms["web-1"] }))
    #expect(try disk.keyslots().count == 2)
    #expect(try disk.enrolment.header().tokens.count == 1)
    #expect(FileManager.default.fileExists(atPath: folder.path + "/web-1/gate.conf"))
}

@Test("init writes secrets for their owner only, and never twice")
func initialize() throws {
    let folder = try TestFolder()
    let arguments = ["init", "--directory", "b", "--listen", "127.0.0.1:7411", "--spare"]
    #expect(try run(arguments, in: folder).status == 0)
    for name in ["broker.key", "spare.key", "wrapping.key"] {
        let attributes = try FileManager.default.attributesOfItem(
            atPath: folder.path + "/b/" + name)
        #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
    }
    let key = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/b/broker.key"))
    let again = try run(arguments, in: folder)
    #expect(again.status == 2)
    #expect(again.errors.contains("exists and is not overwritten"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/b/broker.key")) == key)
}

@Test("completions are printed for three shells", arguments: ["bash", "zsh", "fish"])
func completions(shell: String) throws {
    let ended = try run(["completions", shell], in: TestFolder())
    #expect(ended.status == 0)
    #expect(ended.output.contains("enroll"))
}
