import BrokerCore
import Bytes
import NIOCore
import Protocol

/// Purpose runtime: evidence, then the part of the log that is not known yet, then the verdict.
extension LaunchHandler {
    /// So many parts of a log may wait for their hashing before no more is read, 256 KiB each at most.
    private static let waitingParts = 4

    func appraise(
        _ evidence: EvidenceMessage, of launch: Launch, binding: FixedBytes<64>,
        _ context: ChannelHandlerContext
    ) {
        isBusy = true
        let here = Here(handler: self, context: context)
        reports.appraise(evidence, of: launch, binding: binding) { step in
            here.run { $0.proceed(step, $1) }
        }
    }

    private func proceed(_ step: ReportStep, _ context: ChannelHandlerContext) {
        isBusy = false
        guard !isOver else { return }
        do {
            switch step {
            case .log(let offset, let session):
                report = (session, 0)
                awaitLog(context)
                try send(context) { session throws(SessionError) in
                    try session.askForLog(offset: offset)
                }
                return
            case .accept:
                try send(context) { session throws(SessionError) in try session.close() }
            case .refuse(let code, let reference):
                try send(context) { session throws(SessionError) in
                    try session.refuse(Refused(code: code, reference: reference))
                }
            case .hold(let seconds, let reference):
                try send(context) { session throws(SessionError) in
                    try session.hold(Held(retryAfterSeconds: seconds, reference: reference))
                }
            }
            finish(context)
        } catch {
            refuseMalformed(error, context)
        }
    }

    /// Hands a part of the log on; what waits is bounded by not reading.
    func take(_ part: LogPart, _ context: ChannelHandlerContext) {
        guard let session = report?.session else { return finish(context) }
        report?.waiting += 1
        if report?.waiting == Self.waitingParts { read(false, context) }
        let isLast = part.isLast
        let here = Here(handler: self, context: context)
        session.append(part.data) { isWelcome in
            here.run { $0.took(isWelcome, isLast, $1) }
        }
    }

    private func took(_ isWelcome: Bool, _ isLast: Bool, _ context: ChannelHandlerContext) {
        guard !isOver, let session = report?.session else { return }
        guard isWelcome else {
            return refuseMalformed(
                ParseError.lengthOutOfBounds(
                    field: "IMA log", length: ReportSession.maximumLogCount + 1, minimum: 0,
                    maximum: ReportSession.maximumLogCount), context)
        }
        report?.waiting -= 1
        if report?.waiting == Self.waitingParts - 1 { read(true, context) }
        guard isLast else { return }
        isBusy = true
        let here = Here(handler: self, context: context)
        session.finish { step in here.run { $0.proceed(step, $1) } }
    }

    private func read(_ isOn: Bool, _ context: ChannelHandlerContext) {
        // Fails only where the channel is closed, which is told otherwise.
        context.channel.setOption(.autoRead, value: isOn).whenFailure { _ in }
    }
}
