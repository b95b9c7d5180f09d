import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends connections that do not get on: that send no request, send one too slowly or too large, or do not
/// take what they asked for.
///
/// Looks at whole parts of HTTP, so that a peer gains nothing by single bytes.
final class HTTPDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long each may take.
    struct Limits: Sendable {
        /// From the connection to its first request, TLS handshake included.
        var first = TimeAmount.seconds(20)
        /// From an answer to the next request.
        var idle = TimeAmount.seconds(60)
        /// From a request's head to its end.
        var request = TimeAmount.seconds(30)
        /// For the rest of a request that has been answered already.
        var leftover = TimeAmount.seconds(2)
        /// For each piece of an answer to be taken.
        var write = TimeAmount.seconds(30)
        /// How often to look.
        var tick = TimeAmount.seconds(2)
        /// The longest body, in bytes; one that goes on behind it ends the connection.
        var body = 4 << 20
    }

    private enum Phase {
        case waiting
        case receiving
        case answering
    }

    private let limits: Limits
    private var phase = Phase.waiting
    private var isAnswered = false
    private var bodyCount = 0
    private var phaseEnd: NIODeadline
    /// Pieces of answers that the peer has not taken yet.
    private var pending = 0
    private var writeEnd = NIODeadline.distantFuture
    private var ticks: RepeatedTask?

    init(_ limits: Limits) {
        self.limits = limits
        phaseEnd = .now() + limits.first
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let channel = context.channel
        ticks = context.eventLoop.scheduleRepeatedTask(
            initialDelay: limits.tick, delay: limits.tick
        ) { _ in
            if this.value.isOverdue(at: .now()) { channel.close(promise: nil) }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        ticks?.cancel()
        ticks = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        ticks?.cancel()
        ticks = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            phase = .receiving
            isAnswered = false
            bodyCount = 0
            phaseEnd = .now() + limits.request
        case .body(let part):
            bodyCount += part.readableBytes
            guard bodyCount <= limits.body else { return context.close(promise: nil) }
        case .end:
            phase = isAnswered ? .waiting : .answering
            phaseEnd = isAnswered ? .now() + limits.idle : .distantFuture
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            isAnswered = true
            switch phase {
            case .answering:
                phase = .waiting
                phaseEnd = .now() + limits.idle
            case .receiving: phaseEnd = min(phaseEnd, .now() + limits.leftover)
            case .waiting: break
            }
        }
        pending += 1
        writeEnd = min(writeEnd, .now() + limits.write)
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let taken = promise ?? context.eventLoop.makePromise()
        taken.futureResult.whenComplete { _ in this.value.oneIsTaken() }
        context.write(data, promise: taken)
    }

    private func oneIsTaken() {
        pending -= 1
        writeEnd = pending > 0 ? .now() + limits.write : .distantFuture
    }

    private func isOverdue(at now: NIODeadline) -> Bool {
        now >= writeEnd || pending == 0 && now >= phaseEnd
    }
}
