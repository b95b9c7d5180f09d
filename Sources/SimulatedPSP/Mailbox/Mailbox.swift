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
    init(
        creating path: String, privilegeFloor: UInt32,
        provider: MailboxLayout.Provider = .sevGuest,
        operations: [MailboxLayout.Operation] = [.report]
    ) throws(PSPFault) {
        let draft = path + ".new"
        unsafe unlink(draft)
        do throws(SystemError) {
            memory = try SharedMemory(draft, count: MailboxLayout.size, create: true)
        } catch {
            throw .unavailable("\(error)")
        }
        memory[word: MailboxLayout.provider] =
            MailboxLayout.providerMagic << 16 | provider.rawValue
        memory[word: MailboxLayout.operations] = operations.reduce(0) { $0 | 1 << $1.rawValue }
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
        /// What the operation works on, as much of it as the guest named, at most 64 bytes.
        var input: [UInt8]
        /// The number of a ``MailboxLayout/Operation``, or of none.
        var operation: UInt32 = 0
        var argument: UInt32 = 0
        /// 16 bytes.
        var service = [UInt8](repeating: 0, count: 16)
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
            input: memory.read(at: MailboxLayout.input, count: Int(length)),
            operation: memory[word: MailboxLayout.operation],
            argument: memory[word: MailboxLayout.argument],
            service: memory.read(at: MailboxLayout.service, count: 16))
    }

    /// Answers a request with what the processor gave.
    func answer(_ request: Request, with answer: Answer) {
        for (blob, place, length) in [
            (answer.report, MailboxLayout.output, MailboxLayout.outputLength),
            (answer.certificates, MailboxLayout.auxiliary, MailboxLayout.auxiliaryLength),
            (answer.manifest, MailboxLayout.manifest, MailboxLayout.manifestLength),
        ] {
            precondition(blob.count <= MailboxLayout.blobLimit)
            memory.write(blob, at: place)
            memory[word: length] = UInt32(blob.count)
        }
        complete(request, status: 0)
    }

    /// Answers a request with an errno.
    func refuse(_ request: Request, errno status: Int32) {
        for length in [
            MailboxLayout.outputLength, MailboxLayout.auxiliaryLength,
            MailboxLayout.manifestLength,
        ] {
            memory[word: length] = 0
        }
        complete(request, status: UInt32(status))
    }

    private func complete(_ request: Request, status: UInt32) {
        memory[word: MailboxLayout.status] = status
        // The guest that sees the sequence must see all that was written before it.
        atomicMemoryFence(ordering: .releasing)
        memory[word: MailboxLayout.response] = request.sequence
    }
}
