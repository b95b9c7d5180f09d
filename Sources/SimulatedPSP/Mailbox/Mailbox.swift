import Glibc
import Linux
import Synchronization

/// The shared file through which a guest asks for reports; layout in ``MailboxLayout``.
final class Mailbox {
    private let memory: SharedMemory

    /// Makes a fresh mailbox at `path`, taking the place of an old file.
    ///
    /// It appears under its name only when its header is complete, so that whoever waits for the
    /// file finds a usable one.
    init(creating path: String, privilegeFloor: UInt32) throws(PSPFault) {
        let draft = path + ".new"
        unsafe unlink(draft)
        do throws(SystemError) {
            memory = try SharedMemory(draft, count: MailboxLayout.size, create: true)
        } catch {
            throw .unavailable("\(error)")
        }
        memory[word: MailboxLayout.provider] =
            MailboxLayout.providerMagic << 16 | MailboxLayout.sevGuest
        memory[word: MailboxLayout.privilegeFloor] = privilegeFloor
        guard unsafe rename(draft, path) == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw .unavailable("cannot rename \(draft) to \(path): \(reason)")
        }
    }

    /// What a guest asked for.
    struct Request: Equatable {
        var sequence: UInt32
        var privilegeLevel: UInt32
        /// 64 bytes, or what there is of them if the guest named another length.
        var reportData: [UInt8]
    }

    /// The request that was not answered yet, if there is one.
    var pendingRequest: Request? {
        let sequence = memory[word: MailboxLayout.request]
        guard sequence != memory[word: MailboxLayout.response] else { return nil }
        // What the guest wrote before it raised the sequence must be read after it.
        atomicMemoryFence(ordering: .acquiring)
        // The length is the guest's word, so it is clamped before it is used.
        let length = min(memory[word: MailboxLayout.inputLength], UInt32(MailboxLayout.inputSize))
        return Request(
            sequence: sequence, privilegeLevel: memory[word: MailboxLayout.privilegeLevel],
            reportData: memory.read(at: MailboxLayout.input, count: Int(length)))
    }

    /// Answers a request with a report and its certificate table.
    func answer(_ request: Request, with answer: Answer) {
        precondition(answer.report.count <= MailboxLayout.blobLimit)
        precondition(answer.certificates.count <= MailboxLayout.blobLimit)
        memory.write(answer.report, at: MailboxLayout.output)
        memory.write(answer.certificates, at: MailboxLayout.auxiliary)
        memory[word: MailboxLayout.outputLength] = UInt32(answer.report.count)
        memory[word: MailboxLayout.auxiliaryLength] = UInt32(answer.certificates.count)
        complete(request, status: 0)
    }

    /// Answers a request with an errno.
    func refuse(_ request: Request, errno status: Int32) {
        memory[word: MailboxLayout.outputLength] = 0
        memory[word: MailboxLayout.auxiliaryLength] = 0
        complete(request, status: UInt32(status))
    }

    private func complete(_ request: Request, status: UInt32) {
        memory[word: MailboxLayout.manifestLength] = 0
        memory[word: MailboxLayout.status] = status
        // The guest that sees the sequence must see all that was written before it.
        atomicMemoryFence(ordering: .releasing)
        memory[word: MailboxLayout.response] = request.sequence
    }
}
