import AdminAPI
import NIOCore

/// Lets root, the broker's own user and those whom the config names use the admin socket.
///
/// The kernel says who connected (SO_PEERCRED). Only the group that the peer's process acts as counts,
/// not its supplementary ones.
struct SocketGatekeeper: Sendable {
    /// `struct ucred` of unix(7).
    private struct Credentials {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
    }

    /// `SO_PEERCRED` of `asm-generic/socket.h`.
    private static let peerCredentials = NIOBSDSocket.Option(rawValue: 17)

    let users: Set<UInt32>
    let groups: Set<UInt32>

    func check(_ channel: any Channel) async throws {
        guard let socket = channel as? any SocketOptionProvider else {
            throw AdminFault(.forbidden, "the kernel does not say who asks")
        }
        let peer: Credentials = try await socket.unsafeGetSocketOption(
            level: .socket, name: Self.peerCredentials
        ).get()
        guard users.contains(peer.user) || groups.contains(peer.group) else {
            throw AdminFault(
                .forbidden, "user \(peer.user) may not use this socket; admin.allow_users lists who"
            )
        }
    }
}
