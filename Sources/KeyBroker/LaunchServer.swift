import BrokerCore
import Logging
import NIOCore
import NIOPosix
import NetIO
import OpenSSL
import ServiceLifecycle
import Settings

/// Listens for launches and reports.
struct LaunchServer: Service {
    let settings: BrokerSettings
    let tls: TLSServerContext
    let authority: LaunchAuthority
    let reports: RuntimeAuthority
    let limits: ConnectionLimits
    let group: any EventLoopGroup
    let log: Logger
    /// Hears of the addresses once all of them are listened on.
    let ready: @Sendable ([String]) -> Void

    /// A crowd that comes back after a power cut waits here rather than being turned away.
    private static let backlog: Int32 = 8192

    private static let ipv6Only = ChannelOptions.Types.SocketOption(
        level: .ipv6, name: .ipv6_v6only)

    func run() async throws {
        var listeners: [any Channel] = []
        for address in settings.listen {
            listeners.append(
                try await bootstrap(address).bind(host: address.host, port: address.port).get())
        }
        ready(listeners.compactMap { $0.localAddress.flatMap(Self.text) })
        try? await gracefulShutdown()
        for listener in listeners { try? await listener.close() }
        await drain()
    }

    private func bootstrap(_ address: BrokerSettings.Listen) -> ServerBootstrap {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        // So that 0.0.0.0 and [::] can both be listed.
        let isIPv6 = address.host.contains(":")
        return (isIPv6 ? bootstrap.serverChannelOption(Self.ipv6Only, value: 1) : bootstrap)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in accept(channel) }
    }

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let peer = channel.remoteAddress?.ipAddress ?? "unknown"
        switch limits.admit(channel, from: peer, at: .now()) {
        case .some(let excess):
            authority.statistics.count(excess == .rate ? .rate : .connections)
            log.debug("connection turned away", metadata: ["peer": "\(peer)"])
            channel.close(promise: nil)
            return channel.eventLoop.makeSucceededVoidFuture()
        case .none:
            channel.closeFuture.whenComplete { _ in limits.dismiss(channel) }
        }
        return channel.eventLoop.makeCompletedFuture {
            let deadlines = LaunchHandler.Deadlines(
                handshake: .seconds(Int64(settings.handshakeSeconds)),
                total: .seconds(Int64(settings.deadlineSeconds)))
            try channel.pipeline.syncOperations.addHandlers([
                TLSServerHandler(context: tls),
                LaunchHandler(
                    authority: authority, reports: reports, deadlines: deadlines, peer: peer,
                    log: log),
            ])
        }
    }

    /// Lets launches finish that have sent their evidence; each has its own deadline.
    private func drain() async {
        for channel in limits.channels {
            channel.pipeline.fireUserInboundEventTriggered(BrokerStops())
        }
        let end = ContinuousClock.now + .seconds(settings.deadlineSeconds)
        while limits.count > 0, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func text(_ address: NIOCore.SocketAddress) -> String? {
        guard let host = address.ipAddress, let port = address.port else { return nil }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
