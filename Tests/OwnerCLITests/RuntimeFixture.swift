import Bytes
import Evidence
import Foundation
import OpenSSL
import Synchronization
import TestSupport

/// A simulated VM behind an agent, its owner's folder, and how `bootgate` is run there.
final class RuntimeFixture {
    static let binaries: [(path: String, digest: [UInt8])] = [
        ("/usr/bin/bash", [UInt8](repeating: 0xb1, count: 32)),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", [UInt8](repeating: 0xb2, count: 32)),
    ]

    let folder: TestFolder
    let agent: StubAgent

    init() throws {
        folder = try TestFolder()
        agent = try StubAgent(SimulatedVM(files: Self.binaries))
        try write("root.der", agent.state.withLock { $0.vm.root })
        try write("agent.pem", agent.certificate.pem)
        try write("token", Array("secret-token\n".utf8))
        let file = snapshot()
        agent.state.withLock { $0.snapshot = file }
    }

    deinit { agent.stop() }

    func path(_ name: String) -> String { folder.path + "/" + name }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    }

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    /// A snapshot of the VM as it is now, with `extra` pairs.
    func snapshot(_ extra: [(path: String, digest: [UInt8])] = []) -> [UInt8] {
        let vm = agent.state.withLock { $0.vm }
        var snapshot = Snapshot()
        var files = IMADigestTable()
        // The boot aggregate is on the kernel's list too.
        let aggregate = vm.log.entries[0].fields[0].suffix(32)
        files.insert(name: Array("boot_aggregate".utf8), digest: Array(aggregate))
        for (path, digest) in Self.binaries + extra {
            files.insert(name: Array(path.utf8), digest: digest)
        }
        snapshot.files = files
        snapshot.header.tpmPolicy = SnapshotHeader.TPMPolicy(resetCount: 3, restartCount: 0)
        snapshot.details = SnapshotDetails(
            vm: vm.statement.vm, hostName: vm.statement.hostName, bootID: vm.statement.bootID,
            time: 1_790_000_000, hash: .sha256, attestationKeyName: vm.keyName)
        var bytes: [UInt8] = []
        snapshot.write { bytes += $0 }
        return bytes
    }

    /// Runs `bootgate` with a home of its own, and no broker unless one is named.
    func run(
        _ arguments: [String], insecure: Bool = true, endedWhen isTime: (() throws -> Bool)? = nil
    ) throws -> Ended {
        var arguments = arguments
        if insecure { arguments.append("--allow-insecure-tls") }
        if !arguments.contains("--socket") { arguments += ["--socket", path("none.sock")] }
        return try OwnerCLITests.run(
            arguments, in: folder, environment: ["XDG_CONFIG_HOME": path("config")],
            endedWhen: isTime)
    }

    /// Runs `bootgate app`, which believes the agent's certificate and nothing less.
    func app(_ arguments: [String]) throws -> Ended {
        try run(
            ["app"] + arguments + ["--url", agent.url, "--ca", "agent.pem"], insecure: false)
    }

    /// `verify` of the snapshot as it is registered with nobody.
    func verify(_ more: [String] = []) throws -> Ended {
        try write("web-1.snapshot", agent.state.withLock { $0.snapshot })
        return try run(
            [
                "verify", "--snapshot", "web-1.snapshot", "--url", agent.url, "--root", "root.der",
            ] + more)
    }

    /// What the kernel measures when `path` is run.
    func measure(_ path: String, _ byte: UInt8) {
        let digest = [UInt8](repeating: byte, count: 32)
        agent.state.withLock {
            $0.vm.log.entries.append(SimulatedVM.entry(path, digest))
        }
    }
}
