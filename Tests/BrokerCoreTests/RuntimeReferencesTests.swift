import Bytes
import Evidence
import Foundation
import Linux
import OpenSSL
import Policy
import Testing
import Verification

@testable import BrokerCore

@Suite("References for reports")
struct RuntimeReferencesTests {
    private let folder = NSTemporaryDirectory() + "bootgate-references-\(UUID().uuidString)"

    /// Registers a snapshot of so many files for a VM, and gives the key of what comes of it.
    private func key(_ vm: String, files count: Int) throws -> RuntimeReferences.Key {
        var writer = SnapshotWriter(SnapshotHeader())
        for index in 0..<count {
            writer.file(
                path: Array("/\(vm)/\(index)".utf8), digest: [UInt8](repeating: 1, count: 32))
        }
        writer.end()
        let files = SnapshotFiles(folder)
        let incoming = try files.receive(for: vm)
        try incoming.append(writer.take())
        let digest = try incoming.finish().digest.hex
        try files.keep(incoming, digest, of: vm)
        return RuntimeReferences.Key(vm: vm, snapshot: digest, policy: fixed(1))
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }

    @Test("a snapshot is read once, and again for another policy")
    func readOnce() throws {
        defer { remove() }
        let references = RuntimeReferences(SnapshotFiles(folder))
        var key = try key("web-1", files: 3)
        let first = try references.reference(key, RuntimeRules())
        #expect(first.snapshot?.files?.count == 3)
        #expect(try references.reference(key, RuntimeRules()) === first)
        key.policy = fixed(2)
        #expect(try references.reference(key, RuntimeRules()) !== first)
        key.snapshot = nil
        #expect(try references.reference(key, RuntimeRules()).snapshot == nil)
    }

    @Test("who was not heard of for longest makes room, by files and by VMs")
    func bounds() throws {
        defer { remove() }
        for (pairs, entries) in [(25, 100), (1000, 2)] {
            let references = RuntimeReferences(
                SnapshotFiles(folder), maximumPairs: pairs, maximumEntries: entries)
            let keys = try ["a", "b", "c"].map { try key($0, files: 10) }
            let first = try references.reference(keys[0], RuntimeRules())
            let second = try references.reference(keys[1], RuntimeRules())
            #expect(try references.reference(keys[0], RuntimeRules()) === first)
            _ = try references.reference(keys[2], RuntimeRules())
            #expect(try references.reference(keys[0], RuntimeRules()) === first)
            #expect(try references.reference(keys[1], RuntimeRules()) !== second)
        }
    }

    @Test("one that is larger than all the room is used, and not in the way of the next")
    func tooLarge() throws {
        defer { remove() }
        let references = RuntimeReferences(SnapshotFiles(folder), maximumPairs: 5)
        let large = try key("a", files: 10)
        #expect(try references.reference(large, RuntimeRules()).snapshot?.files?.count == 10)
        let small = try references.reference(key("b", files: 5), RuntimeRules())
        #expect(try references.reference(key("b", files: 5), RuntimeRules()) === small)
    }

    @Test("a file that is gone, or another than was registered, is no reference")
    func changedFile() throws {
        defer { remove() }
        let key = try key("web-1", files: 3)
        let path = SnapshotFiles(folder).path(key.snapshot ?? "", of: "web-1")
        var bytes = try File.read(path, atMost: 4096)
        let place = try #require(bytes.firstIndex(of: UInt8(ascii: "2")))
        bytes[place] = UInt8(ascii: "3")
        try File.writeAtomically(path, bytes)
        let references = RuntimeReferences(SnapshotFiles(folder))
        #expect(throws: ParseError.self) { try references.reference(key, RuntimeRules()) }
        try File.remove(path)
        #expect(throws: SystemError.self) { try references.reference(key, RuntimeRules()) }
    }
}
