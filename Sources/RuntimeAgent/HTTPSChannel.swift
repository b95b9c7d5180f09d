import HummingbirdCore
import Logging
import NIOCore
import NetIO
import OpenSSL

/// One HTTPS connection: limits, TLS, HTTP/1.1.
struct HTTPSChannel: ServerChildChannel {
    /// A connection; one that was turned away has no HTTP.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        fileprivate let http: HTTP1Channel.Value?
    }

    private let http: HTTP1Channel
    private let limits: ConnectionLimits
    private let context: @Sendable () -> TLSServerContext

    /// - Parameter context: the one for a connection that begins now.
    init(
        responder: @escaping HTTPChannelHandler.Responder, limits: ConnectionLimits,
        deadlines: HTTPDeadlines.Limits, context: @escaping @Sendable () -> TLSServerContext
    ) {
        http = HTTP1Channel(
            responder: responder,
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [HTTPDeadlines(deadlines)],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 8192, maxHeaderListSize: 16384, maxHeaderFieldCount: 64)))
        self.limits = limits
        self.context = context
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let peer = channel.remoteAddress?.ipAddress ?? "unknown"
        guard limits.admit(channel, from: peer, at: .now()) == nil else {
            channel.close(promise: nil)
            return channel.eventLoop.makeSucceededFuture(Value(channel: channel, http: nil))
        }
        channel.closeFuture.whenComplete { _ in limits.dismiss(channel) }
        let done = channel.eventLoop.makeCompletedFuture {
            let tls = try TLSServerHandler(context: context())
            try channel.pipeline.syncOperations.addHandler(tls)
        }.flatMap {
            http.setup(channel: channel, logger: logger)
        }.map { Value(channel: channel, http: $0) }
        done.whenFailure { _ in channel.close(promise: nil) }
        return done
    }

    func handle(value: Value, logger: Logger) async {
        guard let connection = value.http else { return }
        await http.handle(value: connection, logger: logger)
    }
}

/// What a request arrived by.
struct Caller: Sendable {
    /// The peer's address; `unknown` where the kernel has none.
    let address: String
    /// What the handshake made sure of.
    let tls: TLSEstablished

    init(_ channel: any Channel) async throws(Refusal) {
        address = channel.remoteAddress?.ipAddress ?? "unknown"
        let found = try? await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.handler(type: TLSServerHandler.self).established
        }.get()
        guard let established = found ?? nil else {
            throw .unavailable("the connection has just ended")
        }
        tls = established
    }
}
