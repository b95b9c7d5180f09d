import CLinux

/// Who is at the other end of a Unix socket, as the kernel knows it.
public struct PeerCredentials: Equatable, Sendable {
    /// The peer's process when it connected.
    public let processID: Int32
    /// The user it acted as.
    public let userID: UInt32
    /// The group it acted as.
    public let groupID: UInt32

    /// Asks the kernel about the connected Unix socket `descriptor`.
    public init(socket descriptor: Int32) throws(SystemError) {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
        guard unsafe bootgate_peer_credentials(descriptor, &process, &user, &group) == 0 else {
            throw .current("getsockopt SO_PEERCRED")
        }
        processID = process
        userID = user
        groupID = group
    }
}
