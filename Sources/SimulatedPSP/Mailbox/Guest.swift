import Bytes

/// One launched guest's view of its processor, of whatever family.
protocol MailboxGuest {
    /// Who answers in the kernel's place.
    var provider: MailboxLayout.Provider { get }
    /// The operations that it answers.
    var operations: [MailboxLayout.Operation] { get }

    /// Answers a request that is of a right form; nil for one that the processor refuses (EINVAL).
    mutating func answer(
        _ operation: MailboxLayout.Operation, _ request: Mailbox.Request, isFaulty: Bool
    ) throws(PSPFault) -> Answer?

    /// What the log says of the guest beside each request.
    var identity: [(String, JSONText.Value)] { get }
}
