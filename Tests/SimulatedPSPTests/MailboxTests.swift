import Bytes
import Foundation
import Linux
import Testing

@testable import SimulatedPSP

@Suite("The mailbox that a guest maps")
final class MailboxTests {
    private let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("bootgate-mailbox-\(UUID().uuidString)").path

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    private func guest() throws -> SharedMemory {
        try SharedMemory(path, count: MailboxLayout.size)
    }

    /// Asks as `tsm_sim` does: everything first, the sequence last.
    private func ask(_ guest: SharedMemory, length: UInt32 = 64, level: UInt32 = 0) {
        guest.write((0..<64).map { UInt8($0) }, at: 0x40)
        guest[word: 0x0c] = level
        guest[word: 0x10] = length
        guest[word: 0x00] = guest[word: 0x00] &+ 1
    }

    @Test("says what it is before anybody asks")
    func header() throws {
        let mailbox = try Mailbox(creating: path, privilegeFloor: 2)
        let guest = try guest()
        #expect(guest[word: 0x08] == 0x5354_0001)
        #expect(guest[word: 0x24] == 2)
        #expect(mailbox.pendingRequest == nil)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.size] as? Int == 262_144)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test("carries a request and its answer")
    func exchange() throws {
        let mailbox = try Mailbox(creating: path, privilegeFloor: 0)
        let guest = try guest()
        for sequence in 1...3 as ClosedRange<UInt32> {
            ask(guest, level: 3)
            let request = try #require(mailbox.pendingRequest)
            #expect(
                request
                    == Mailbox.Request(
                        sequence: sequence, privilegeLevel: 3,
                        input: (0..<64).map { UInt8($0) }))
            mailbox.answer(
                request,
                with: Answer(report: [1, 2, 3], certificates: Array(repeating: 9, count: 5000)))
            #expect(mailbox.pendingRequest == nil)
            #expect(guest[word: 0x04] == sequence)
            #expect(guest[word: 0x20] == 0)
            #expect(guest.read(at: 0x1000, count: Int(guest[word: 0x14])) == [1, 2, 3])
            #expect(guest.read(at: 0x9000, count: 5000) == Array(repeating: 9, count: 5000))
            #expect(guest[word: 0x18] == 5000)
            #expect(guest[word: 0x1c] == 0)
        }
    }

    @Test("takes no more of a request than there is room for", arguments: [0, 63, 65, .max])
    func lengths(length: UInt32) throws {
        let mailbox = try Mailbox(creating: path, privilegeFloor: 0)
        let guest = try guest()
        ask(guest, length: length)
        let request = try #require(mailbox.pendingRequest)
        #expect(request.input.count == Int(min(length, 64)))
    }

    @Test("gives an errno in place of a report")
    func refusal() throws {
        let mailbox = try Mailbox(creating: path, privilegeFloor: 0)
        let guest = try guest()
        ask(guest)
        mailbox.refuse(try #require(mailbox.pendingRequest), errno: 22)
        #expect(guest[word: 0x20] == 22)
        #expect(guest[word: 0x14] == 0)
        #expect(guest[word: 0x04] == 1)
    }

    @Test("takes the place of an old one, with no request left in it")
    func replacesOld() throws {
        _ = try Mailbox(creating: path, privilegeFloor: 0)
        ask(try guest())
        let mailbox = try Mailbox(creating: path, privilegeFloor: 0)
        #expect(mailbox.pendingRequest == nil)
    }

    /// A service over the mailbox that a TDX guest or an SNP guest with an SVSM answers.
    private func serve(_ guest: any MailboxGuest, _ mailbox: Mailbox) throws -> MailboxService {
        try MailboxService(
            guest: guest, mailbox: mailbox, log: EventLog("/dev/null"), faults: [], faultAfter: 0)
    }

    @Test("carries a TDX guest's quotes, TDREPORTs and extensions")
    func tdx() throws {
        let processor = try SampleMachine.guest()
        let mailbox = try Mailbox(
            creating: path, privilegeFloor: 0, provider: .tdxGuest,
            operations: processor.operations)
        var service = try serve(processor, mailbox)
        let guest = try guest()
        #expect(guest[word: 0x08] == 0x5354_0002)
        #expect(guest[word: 0x80] == 0b111)
        func exchange(_ operation: UInt32, argument: UInt32 = 0, length: UInt32 = 64) throws
            -> (status: UInt32, count: UInt32)
        {
            guest[word: 0x28] = operation
            guest[word: 0x2c] = argument
            ask(guest, length: length)
            _ = try service.answer(try #require(mailbox.pendingRequest), 1)
            return (guest[word: 0x20], guest[word: 0x14])
        }
        #expect(try exchange(1) == (0, 1024))
        #expect(guest.read(at: 0x1000 + 0x80, count: 64) == (0..<64).map { UInt8($0) })
        #expect(try exchange(2, argument: 3, length: 48) == (0, 0))
        #expect(try exchange(2, argument: 1, length: 48).status == 22)
        #expect(try exchange(2, argument: 3).status == 22)
        #expect(try exchange(3).status == 22)
        #expect(try exchange(4).status == 22)
        #expect(try exchange(0).status == 0)
        let quote = guest.read(at: 0x1000, count: Int(guest[word: 0x14]))
        #expect(quote[0] == 4 && !quote[(48 + 0x1d8)..<(48 + 0x208)].allSatisfy { $0 == 0 })
    }

    @Test("names the file when it cannot be made")
    func unwritable() {
        #expect(throws: PSPFault.self) {
            try Mailbox(creating: "/nonexistent/mailbox", privilegeFloor: 0)
        }
    }
}
