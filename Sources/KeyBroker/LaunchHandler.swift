import BrokerCore
import Bytes
import Logging
import NIOCore
import NetIO
import OpenSSL
import Protocol
import Store

/// Tells a connection that the broker stops: one that has sent no evidence yet is closed.
struct BrokerStops: Sendable {}

/// One connection of the launch listener: drives a `VerifierSession` with what TLS delivers.
///
/// Verification of launches runs on the event loop, because there are as many loops as cores and nothing in
/// it waits; the ledger is written elsewhere, and the decision comes back to this loop. Reports, which bring
/// a log, are worked on elsewhere altogether.
final class LaunchHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long a connection and its handshake may last.
    struct Deadlines: Sendable {
        var handshake: TimeAmount
        var total: TimeAmount
        /// For the log of a report, once it was asked for.
        var log = TimeAmount.minutes(5)
    }

    let reports: RuntimeAuthority
    /// The report whose log is coming in, and how many parts of it are being worked on.
    var report: (session: ReportSession, waiting: Int)?
    private let authority: LaunchAuthority
    private let deadlines: Deadlines
    private let peer: String
    private let log: Logger
    private var session: VerifierSession?
    private var launch: Launch?
    private var recorded: RecordedLaunch?
    /// Evidence or an outcome is being worked on; the connection outlives a stop of the broker.
    var isBusy = false
    private(set) var isOver = false
    private var timers: [Scheduled<Void>] = []

    init(
        authority: LaunchAuthority, reports: RuntimeAuthority, deadlines: Deadlines, peer: String,
        log: Logger
    ) {
        self.authority = authority
        self.reports = reports
        self.deadlines = deadlines
        self.peer = peer
        self.log = log
    }

    func handlerAdded(context: ChannelHandlerContext) {
        schedule(deadlines.total, context) { handler, context in
            handler.expire(context)
        }
        schedule(deadlines.handshake, context) { handler, context in
            if handler.session == nil { handler.expire(context) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as TLSEstablished:
            session = VerifierSession(
                exporter: event.channelBinding, hashing: OpenSSLHashing())
        case is BrokerStops:
            if !isBusy, recorded == nil { finish(context) }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        guard !isOver, session != nil else { return }
        do {
            let bytes = Array(buffer.readableBytesView)
            let events = try session?.receive(bytes) ?? []
            for event in events { try handle(event, context) }
        } catch {
            refuseMalformed(error, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        over()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        over()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if session == nil { authority.statistics.count(.handshake) }
        log.debug("connection lost", metadata: ["peer": "\(peer)", "reason": "\(error)"])
        finish(context)
    }

    private func handle(_ event: VerifierEvent, _ context: ChannelHandlerContext) throws {
        switch event {
        case .hello(let hello):
            let (launch, challenge) = authority.challenge(hello, from: peer)
            self.launch = launch
            try send(context) { session throws(SessionError) in try session.challenge(challenge) }
        case .evidence(let evidence, let binding):
            guard let launch else { return }
            guard launch.hello.purpose == .launch else {
                return appraise(evidence, of: launch, binding: binding, context)
            }
            isBusy = true
            let here = Here(handler: self, context: context)
            authority.appraise(
                evidence, of: launch, binding: binding, executor: here.executor,
                done: { verdict in here.run { $0.deliver(verdict, $1) } })
        case .log(let part): take(part, context)
        case .outcome(let outcome):
            guard let recorded else { return }
            isBusy = true
            let here = Here(handler: self, context: context)
            authority.conclude(outcome, of: recorded) { isRecorded in
                here.run { $0.acknowledge(isRecorded, $1) }
            }
        case .lateOutcome(let late):
            isBusy = true
            let here = Here(handler: self, context: context)
            authority.conclude(late, from: peer) { isAccepted in
                here.run { $0.answerLate(isAccepted, late.launchID, $1) }
            }
        }
    }

    private func deliver(_ verdict: Verdict, _ context: ChannelHandlerContext) {
        isBusy = false
        guard !isOver else { return }
        do {
            switch verdict {
            case .release(let release, let recorded):
                self.recorded = recorded
                try send(context) { session throws(SessionError) in try session.release(release) }
            case .refuse(let code, let reference):
                try send(context) { session throws(SessionError) in
                    try session.refuse(Refused(code: code, reference: reference))
                }
                finish(context)
            case .hold(let seconds, let reference):
                try send(context) { session throws(SessionError) in
                    try session.hold(Held(retryAfterSeconds: seconds, reference: reference))
                }
                finish(context)
            }
        } catch {
            refuseMalformed(error, context)
        }
    }

    /// An outcome that could not be recorded is not acknowledged: the VM will deliver it again.
    private func acknowledge(_ isRecorded: Bool, _ context: ChannelHandlerContext) {
        isBusy = false
        guard !isOver else { return }
        if isRecorded {
            try? send(context) { session throws(SessionError) in try session.close() }
        }
        finish(context)
    }

    private func answerLate(
        _ isAccepted: Bool, _ launch: FixedBytes<16>, _ context: ChannelHandlerContext
    ) {
        isBusy = false
        guard !isOver else { return }
        try? send(context) { session throws(SessionError) in
            isAccepted
                ? try session.close()
                : try session.refuse(
                    Refused(
                        code: .refused,
                        reference: LaunchAuthority.anonymousReference(launch)))
        }
        finish(context)
    }

    func refuseMalformed(_ error: any Error, _ context: ChannelHandlerContext) {
        authority.statistics.count(.malformed)
        log.info("protocol broken", metadata: ["peer": "\(peer)", "reason": "\(error)"])
        // Whoever holds the key is not answered; and the session is dead, so the frame is made here.
        if recorded == nil {
            let id = launch?.id ?? FixedBytes()
            let reference = LaunchAuthority.anonymousReference(id)
            write(Refused(code: .malformed, reference: reference).frame(), context)
        }
        finish(context)
    }

    private func expire(_ context: ChannelHandlerContext) {
        guard !isOver else { return }
        authority.statistics.count(.deadline)
        log.info("deadline passed", metadata: ["peer": "\(peer)"])
        finish(context)
    }

    func send(
        _ context: ChannelHandlerContext,
        _ message: (inout VerifierSession) throws(SessionError) -> [UInt8]
    ) throws(SessionError) {
        guard var session else { return }
        let bytes = try message(&session)
        self.session = session
        write(bytes, context)
    }

    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        let buffer = context.channel.allocator.buffer(bytes: bytes)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    func finish(_ context: ChannelHandlerContext) {
        guard !isOver else { return }
        over()
        context.close(promise: nil)
    }

    /// A log may take longer than a launch.
    func awaitLog(_ context: ChannelHandlerContext) {
        timers.forEach { $0.cancel() }
        timers = []
        schedule(deadlines.log, context) { handler, context in handler.expire(context) }
    }

    private func over() {
        isOver = true
        timers.forEach { $0.cancel() }
        timers = []
    }

    private func schedule(
        _ time: TimeAmount, _ context: ChannelHandlerContext,
        _ body: @escaping @Sendable (LaunchHandler, ChannelHandlerContext) -> Void
    ) {
        let here = Here(handler: self, context: context)
        timers.append(context.eventLoop.scheduleTask(in: time) { here.runHere(body) })
    }

    /// The way back to this handler's event loop from any thread.
    struct Here: Sendable {
        private let loop: any EventLoop
        private let bound: NIOLoopBound<(LaunchHandler, ChannelHandlerContext)>

        init(handler: LaunchHandler, context: ChannelHandlerContext) {
            loop = context.eventLoop
            bound = NIOLoopBound((handler, context), eventLoop: context.eventLoop)
        }

        var executor: LaunchAuthority.Executor {
            { work in loop.execute(work) }
        }

        func run(_ body: @escaping @Sendable (LaunchHandler, ChannelHandlerContext) -> Void) {
            if loop.inEventLoop {
                runHere(body)
            } else {
                loop.execute { runHere(body) }
            }
        }

        func runHere(_ body: (LaunchHandler, ChannelHandlerContext) -> Void) {
            let (handler, context) = bound.value
            body(handler, context)
        }
    }
}
