import Bytes
import Foundation
import LUKS
import Linux
import Testing

private let random32: [UInt8] = (0..<32).map { UInt8($0 * 7) }

@Test("a keyslot that was added opens the volume key, another passphrase does not")
func addAndOpen() throws {
    let file = try VolumeFile().formatted()
    let keyslot = try file.addKeyslot(random32)
    let volume = try LUKSVolume(device: file.path)
    let key = try volume.volumeKey(keyslot: keyslot, passphrase: secret(random32))
    #expect(bytes(key) == file.volumeKey)
    do {
        _ = try volume.volumeKey(keyslot: keyslot, passphrase: secret([1, 2, 3]))
        Issue.record("a wrong passphrase opened the keyslot")
    } catch {
        #expect(error == .keyslotRefusedKey(keyslot: keyslot))
    }
    do {
        _ = try volume.volumeKey(keyslot: 9, passphrase: secret(random32))
        Issue.record("a keyslot that is not there opened")
    } catch {
        #expect(error == .noSuchKeyslot(keyslot: 9))
    }
}

@Test("opens a volume through the image of its header in memory")
func openFromImage() throws {
    let file = try VolumeFile().formatted()
    let keyslot = try file.addKeyslot(random32)
    let header = try file.header()
    let copy = try MemoryFile(
        name: "header", header.memoryImage(hashing: hashing), byteCount: header.metadataByteCount)
    // The disk's own header plays no part any more.
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file.path))
    try handle.write(contentsOf: Data(repeating: 0xff, count: 1 << 20))
    try handle.close()
    let volume = try LUKSVolume(device: file.path, header: copy.path, locking: false)
    let key = try volume.volumeKey(keyslot: keyslot, passphrase: secret(random32))
    #expect(bytes(key) == file.volumeKey)
}

@Test("tokens and keyslots come and go")
func tokensAndKeyslots() throws {
    let file = try VolumeFile().formatted()
    let first = try file.addKeyslot(random32)
    let second = try file.addKeyslot([1, 2, 3, 4])
    #expect(first != second)
    let volume = try LUKSVolume(device: file.path)
    let token = try volume.setToken(
        json: #"{"type":"bootgate","keyslots":["\#(second)"],"vm":"web-1","key":"disk"}"#)
    var header = try file.header()
    try LUKS2Rules().check(header, keyslot: second)
    #expect(header.tokens.map(\.type) == ["bootgate"])
    #expect(header.tokens.first?.json["vm"]?.string == "web-1")
    try volume.removeToken(token)
    try volume.removeKeyslot(second)
    header = try file.header()
    #expect(header.tokens.isEmpty)
    #expect(header.keyslots.map(\.number) == [first])
}

@Test("a volume of cryptsetup's own defaults passes the rules and takes our keyslot")
func cryptsetupVolume() throws {
    let file = try VolumeFile()
    try run(
        "/sbin/cryptsetup",
        [
            "luksFormat", "--type", "luks2", "--batch-mode", "--pbkdf-memory", "1024",
            "--pbkdf-force-iterations", "4", "--key-file", "-", file.path,
        ], input: "owner")
    try LUKS2Rules().check(file.header())
    let volume = try LUKSVolume(device: file.path)
    let opened = try volume.volumeKey(anyKeyslot: secret(Array("owner".utf8)))
    #expect(opened.number == 0)
    let keyslot = try volume.addKeyslot(volumeKey: opened.key, passphrase: secret(random32))
    #expect(keyslot == 1)
    try LUKS2Rules().check(file.header(), keyslot: keyslot)
    let again = try volume.volumeKey(keyslot: keyslot, passphrase: secret(random32))
    #expect(bytes(again) == bytes(opened.key))
}

@Test("libcryptsetup's complaint reaches the error and not the terminal")
func complaint() throws {
    let file = try VolumeFile()
    do {
        _ = try LUKSVolume(device: file.path)
        Issue.record("an empty file was taken for a volume")
    } catch {
        #expect("\(error)".contains("reading the LUKS2 header of \(file.path) failed"))
    }
    do {
        _ = try LUKSVolume(device: "/nonexistent")
        Issue.record("a missing file was opened")
    } catch {
        #expect("\(error)".contains("opening /nonexistent failed"))
    }
}

@Test("mapping without device-mapper fails with a reason", .enabled(if: !deviceMapperExists))
func mapping() throws {
    let file = try VolumeFile().formatted()
    do {
        try LUKSVolume(device: file.path)
            .activate(name: "bootgate-test", volumeKey: secret(file.volumeKey))
        Issue.record("mapped without device-mapper")
    } catch {
        #expect("\(error)".contains("mapping bootgate-test failed"))
    }
}

private let deviceMapperExists = FileManager.default.fileExists(atPath: "/dev/mapper/control")

private func run(_ program: String, _ arguments: [String], input: String) throws {
    let process = Foundation.Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardInput = pipe
    try process.run()
    try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try pipe.fileHandleForWriting.close()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
}
