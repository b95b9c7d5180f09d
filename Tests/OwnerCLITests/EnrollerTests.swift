import Bytes
import LUKS
import Testing

@testable import OwnerCLI

private struct Killed: Error {}

private let plan = EnrolmentPlan(
    vm: "web-1", keyName: "disk", policy: "web", gateConf: Array("vm = web-1\n".utf8))

@discardableResult
private func enroll(
    _ disk: TestDisk, _ broker: RecordingBroker, killedAfter end: EnrolmentStep? = nil
) throws -> EnrolmentResult {
    var enroller = Enroller(disk: disk.enrolment, broker: broker)
    enroller.observe = { step in if step == end { throw Killed() } }
    return try enroller.enroll(plan, volumeKey: secret(disk.volumeKey), ownerKeyslot: 0)
}

private func ownerStillOpens(_ disk: TestDisk) throws -> Bool {
    let volume = try LUKSVolume(device: disk.path)
    let opened = try volume.volumeKey(anyKeyslot: secret(ownerPassphrase))
    return opened.number == 0 && bytes(opened.key) == disk.volumeKey
}

@Test("an enrolment adds one keyslot and one token, and what the broker got opens the disk")
func enrolls() throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    let broker = RecordingBroker()
    let result = try enroll(disk, broker)
    #expect(result.keyslot == 1)
    #expect(result.removedKeyslots.isEmpty)
    #expect(try disk.boots(with: broker.newest))
    #expect(try disk.keyslots() == [0, 1])
    let token = try #require(try disk.enrolment.header().tokens.first)
    #expect(token.keyslots == [1])
    #expect(token.json["adding"] == nil)
    #expect(token.json["vm"]?.string == "web-1")
    #expect(broker.newest?.key.count == 32)
}

@Test("enrolling again replaces keyslot and token, and leaves the owner's")
func enrollsAgain() throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    let broker = RecordingBroker()
    try enroll(disk, broker)
    let first = try #require(broker.newest)
    let result = try enroll(disk, broker)
    #expect(result.removedKeyslots == [1])
    #expect(try disk.keyslots() == [0, 2])
    #expect(try disk.enrolment.header().tokens.count == 1)
    #expect(try disk.boots(with: broker.newest))
    #expect(try !disk.boots(with: first))
    #expect(try ownerStillOpens(disk))
}

@Test(
    "killed at any step of the first enrolment, a repeat mends disk and broker",
    arguments: EnrolmentStep.allCases)
func mendsFirst(step: EnrolmentStep) throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    let broker = RecordingBroker()
    _ = try? enroll(disk, broker, killedAfter: step)
    try enroll(disk, broker)
    #expect(try disk.boots(with: broker.newest))
    #expect(try disk.keyslots().count == 2)
    #expect(try disk.enrolment.header().tokens.count == 1)
    #expect(try ownerStillOpens(disk))
}

@Test(
    "killed at any step of a later enrolment, a repeat mends disk and broker",
    arguments: EnrolmentStep.allCases)
func mendsLater(step: EnrolmentStep) throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    let broker = RecordingBroker()
    try enroll(disk, broker)
    #expect(throws: Killed.self) { try enroll(disk, broker, killedAfter: step) }
    // As soon as the broker knows the new keyslot, the VM boots, and again at the very end.
    if step == .brokerInformed || step == .brokerInformedAgain {
        #expect(try disk.boots(with: broker.newest))
    }
    try enroll(disk, broker)
    #expect(try disk.boots(with: broker.newest))
    #expect(try disk.keyslots().count == 2)
    #expect(try disk.enrolment.header().tokens.count == 1)
    #expect(try ownerStillOpens(disk))
}

@Test("a broker that does not take it leaves the disk as it was, and the VM boots as before")
func takesBack() throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    let broker = RecordingBroker()
    let untouched = try disk.digest()
    broker.refuses = true
    #expect(throws: Failure.self) { try enroll(disk, broker) }
    #expect(try disk.digest() == untouched)
    broker.refuses = false
    try enroll(disk, broker)
    let enrolled = try disk.digest()
    broker.refuses = true
    #expect(throws: Failure.self) { try enroll(disk, broker) }
    #expect(try disk.digest() == enrolled)
    #expect(try disk.boots(with: broker.newest))
}

@Test("a keyslot that somebody else put where ours was announced is left alone")
func sparesForeignKeyslot() throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    let broker = RecordingBroker()
    #expect(throws: Killed.self) { try enroll(disk, broker, killedAfter: .announced) }
    // Keyslot 1 was announced; somebody takes it, with a token of their own.
    let volume = try LUKSVolume(device: disk.path)
    let taken = try volume.addKeyslot(
        volumeKey: secret(disk.volumeKey), passphrase: secret([1, 2, 3]))
    #expect(taken == 1)
    try volume.setToken(json: #"{"type":"other","keyslots":["1"]}"#)
    try enroll(disk, broker)
    #expect(try disk.keyslots() == [0, 1, 2])
    #expect(try disk.boots(with: broker.newest))
}

@Test("keyslots of another VM and of another key on the same disk are left alone")
func sparesOtherVM() throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    let broker = RecordingBroker()
    try enroll(disk, broker)
    let other = EnrolmentPlan(vm: "web-2", keyName: "disk", policy: "web", gateConf: [])
    _ = try Enroller(disk: disk.enrolment, broker: broker)
        .enroll(other, volumeKey: secret(disk.volumeKey), ownerKeyslot: 0)
    #expect(try disk.keyslots() == [0, 1, 2])
}

@Test("a forged token cannot have the owner's keyslot removed")
func sparesOwner() throws {
    let folder = try TestFolder()
    let disk = try TestDisk(in: folder)
    try LUKSVolume(device: disk.path)
        .setToken(json: #"{"type":"bootgate","keyslots":["0"],"vm":"web-1","key":"disk"}"#)
    let broker = RecordingBroker()
    try enroll(disk, broker)
    #expect(try ownerStillOpens(disk))
}
