public import Bytes
public import NIOCore
public import OpenSSL

/// Fired as a user event when the handshake is done, before the first plaintext.
public struct TLSEstablished: Equatable, Sendable {
    /// The channel binding `tls-exporter` of RFC 9266; another for each connection.
    public let channelBinding: FixedBytes<32>
    /// SHA-256 of the DER of the leaf certificate that we served.
    public let certificateDigest: FixedBytes<32>
    /// SHA-256 of the SubjectPublicKeyInfo whose key the client proved; nil where it proved none.
    public let peerKeyDigest: FixedBytes<32>?
}

/// How a connection can end that TLS itself did not end.
public enum TLSStreamError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The transport ended and the peer had not said that it was done: bytes may be missing.
    case endedWithoutCloseNotify

    /// One line.
    public var description: String {
        switch self {
        case .endedWithoutCloseNotify: "TLS: the connection ended without close_notify"
        }
    }
}

/// Puts a ``TLSEngine`` into a channel: ciphertext on the network's side, plaintext on the other.
///
/// Errors of TLS are fired as `TLSError`, after the alert went out, and close the channel.
/// What the peer sends is bounded by the engine; while our own output waits for a peer that does
/// not read, nothing more is read from it.
public final class TLSServerHandler: ChannelDuplexHandler {
    /// Ciphertext.
    public typealias InboundIn = ByteBuffer
    /// Plaintext.
    public typealias InboundOut = ByteBuffer
    /// Plaintext.
    public typealias OutboundIn = ByteBuffer
    /// Ciphertext.
    public typealias OutboundOut = ByteBuffer

    /// Half of what the engine lets wait, so that an unfinished record and a slice always fit.
    private static let slice = TLSEngine.inputLimit / 2

    /// What the handshake made sure of; nil until it is done. For the channel's event loop only.
    public private(set) var established: TLSEstablished?

    private let engine: TLSEngine
    private let certificateDigest: FixedBytes<32>
    private let allowsHalfClosure: Bool
    private var state = State.handshaking
    /// Whether plaintext went on since the channel was last asked to read.
    private var hasDelivered = false
    /// Whether a read waits for the peer to take our output.
    private var readIsHeld = false

    private enum State {
        case handshaking
        case open
        /// We said that we send nothing more.
        case outputClosed
        case closed
    }

    /// A handler for one new connection.
    ///
    /// - Parameter allowsHalfClosure: whether a peer that has said it is done may still be answered:
    ///   then `ChannelEvent.inputClosed` is fired, otherwise the channel closes.
    public init(
        context: TLSServerContext, allowsHalfClosure: Bool = false
    ) throws(TLSError) {
        engine = try TLSEngine(server: context)
        certificateDigest = context.certificateDigest
        self.allowsHalfClosure = allowsHalfClosure
    }

    /// Decrypts.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        while state != .closed, !engine.peerHasClosed,
            let bytes = buffer.readBytes(length: min(Self.slice, buffer.readableBytes)),
            !bytes.isEmpty
        {
            do throws(TLSError) {
                try process(bytes, context: context)
            } catch {
                fail(error, context: context)
            }
        }
    }

    /// Asks for more where what came was not enough for any plaintext.
    public func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if !hasDelivered, state != .closed { read(context: context) }
        hasDelivered = false
    }

    /// Asks the network for more, unless our own output is stuck.
    public func read(context: ChannelHandlerContext) {
        if context.channel.isWritable || state == .closed {
            context.read()
        } else {
            readIsHeld = true
        }
    }

    /// Takes up a read that was held.
    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        if readIsHeld, context.channel.isWritable {
            readIsHeld = false
            context.read()
        }
        context.fireChannelWritabilityChanged()
    }

    /// Encrypts; fails before the handshake is done and after the output was closed.
    public func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        switch state {
        case .handshaking:
            promise?.fail(TLSError.notEstablished)
        case .outputClosed, .closed:
            promise?.fail(ChannelError.outputClosed)
        case .open:
            do throws(TLSError) {
                try engine.write(Array(unwrapOutboundIn(data).readableBytesView))
                let output = context.channel.allocator.buffer(bytes: engine.takeOutput())
                context.write(wrapOutboundOut(output), promise: promise)
            } catch {
                promise?.fail(error)
                fail(error, context: context)
            }
        }
    }

    /// Says `close_notify` before the transport, or its sending half, is closed.
    public func close(
        context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?
    ) {
        if mode != .input { sendCloseNotify(context: context) }
        if mode == .all { state = .closed }
        context.close(mode: mode, promise: promise)
    }

    /// Tells of an end that may have been cut short.
    public func channelInactive(context: ChannelHandlerContext) {
        tellOfTruncation(context: context)
        state = .closed
        context.fireChannelInactive()
    }

    /// Passes events on; that the transport will bring nothing more counts only after `close_notify`.
    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.inputClosed) = event as? ChannelEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        // After close_notify the event has been fired.
        guard !engine.peerHasClosed, state != .closed else { return }
        tellOfTruncation(context: context)
        close(context: context, mode: .all, promise: nil)
    }

    private func process(_ bytes: [UInt8], context: ChannelHandlerContext) throws(TLSError) {
        try engine.receive(bytes)
        if state == .handshaking {
            let isDone = try engine.handshake()
            flushOutput(context: context)
            guard isDone else { return }
            state = .open
            let facts = TLSEstablished(
                channelBinding: try engine.channelBinding(),
                certificateDigest: certificateDigest, peerKeyDigest: engine.peerKeyDigest)
            established = facts
            context.fireUserInboundEventTriggered(facts)
            // A handler above may have closed.
            guard state != .closed else { return }
        }
        let plaintext = try engine.read()
        flushOutput(context: context)
        if !plaintext.isEmpty {
            hasDelivered = true
            context.fireChannelRead(
                wrapInboundOut(context.channel.allocator.buffer(bytes: plaintext)))
        }
        guard engine.peerHasClosed, state != .closed else { return }
        if allowsHalfClosure {
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            close(context: context, mode: .all, promise: nil)
        }
    }

    private func fail(_ error: TLSError, context: ChannelHandlerContext) {
        guard state != .closed else { return }
        flushOutput(context: context)
        state = .closed
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    private func tellOfTruncation(context: ChannelHandlerContext) {
        guard state == .open || state == .outputClosed, !engine.peerHasClosed else { return }
        context.fireErrorCaught(TLSStreamError.endedWithoutCloseNotify)
    }

    private func sendCloseNotify(context: ChannelHandlerContext) {
        guard state == .open else { return }
        state = .outputClosed
        engine.closeNotify()
        flushOutput(context: context)
    }

    private func flushOutput(context: ChannelHandlerContext) {
        let output = engine.takeOutput()
        guard !output.isEmpty else { return }
        let buffer = context.channel.allocator.buffer(bytes: output)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
}
