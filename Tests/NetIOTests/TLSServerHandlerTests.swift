import Bytes
import NIOCore
import NIOEmbedded
import NetIO
import OpenSSL
import Testing

@Suite struct TLSServerHandlerTests {
    /// A channel with the handler, a recorder above it, and a client on the other side.
    private final class Bench {
        let channel = EmbeddedChannel()
        let recorder = Recorder()
        let client: TLSEngine
        let server: TestServer

        init(allowsHalfClosure: Bool = false) throws {
            server = try TestServer()
            client = try server.client()
            let handler = try TLSServerHandler(
                context: server.context, allowsHalfClosure: allowsHalfClosure)
            try channel.pipeline.syncOperations.addHandlers([handler, recorder])
            channel.connect(to: try SocketAddress(ipAddress: "192.0.2.1", port: 1), promise: nil)
        }

        /// Carries what either side has to say until both are silent.
        func exchange(chunk: Int = .max) throws {
            while true {
                _ = try client.handshake()
                let up = client.takeOutput()
                var rest = up[...]
                while !rest.isEmpty {
                    try channel.writeInbound(ByteBuffer(bytes: rest.prefix(chunk)))
                    rest = rest.dropFirst(chunk)
                }
                let down = try fromServer()
                try client.receive(down)
                if up.isEmpty, down.isEmpty { return }
            }
        }

        func fromServer() throws -> [UInt8] {
            var bytes: [UInt8] = []
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
                bytes += Array(buffer.readableBytesView)
            }
            return bytes
        }
    }

    @Test("tells the channel binding once, before any plaintext", arguments: [1, 100, Int.max])
    func establishes(chunk: Int) throws {
        let bench = try Bench()
        try bench.exchange(chunk: chunk)
        try bench.client.write([1, 2, 3])
        try bench.exchange(chunk: chunk)
        #expect(try bench.recorder.bindings == [bench.client.channelBinding()])
        #expect(bench.recorder.plaintext == [1, 2, 3])
        #expect(!bench.recorder.sawPlaintextFirst)
        #expect(bench.recorder.tlsErrors.isEmpty && bench.recorder.otherErrors.isEmpty)
    }

    @Test("carries a megabyte each way")
    func carries() throws {
        let bench = try Bench()
        try bench.exchange()
        let text = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try bench.client.write(text)
        try bench.channel.writeInbound(ByteBuffer(bytes: bench.client.takeOutput()))
        #expect(bench.recorder.plaintext == text)

        try bench.channel.writeOutbound(ByteBuffer(bytes: text))
        var rest = try bench.fromServer()[...]
        var got: [UInt8] = []
        while !rest.isEmpty {
            try bench.client.receive(Array(rest.prefix(5000)))
            got += try bench.client.read()
            rest = rest.dropFirst(5000)
        }
        #expect(got == text)
    }

    @Test("answers close_notify with its own and closes")
    func closesWithPeer() throws {
        let bench = try Bench()
        try bench.exchange()
        try bench.client.write([5])
        bench.client.closeNotify()
        try bench.channel.writeInbound(ByteBuffer(bytes: bench.client.takeOutput()))
        #expect(bench.recorder.plaintext == [5])
        #expect(!bench.channel.isActive)
        try bench.client.receive(bench.fromServer())
        #expect(try bench.client.read() == [])
        #expect(bench.client.peerHasClosed)
        #expect(bench.recorder.otherErrors.isEmpty)
    }

    @Test("can still answer a peer that is done, where half-closure is allowed")
    func halfClosure() throws {
        let bench = try Bench(allowsHalfClosure: true)
        try bench.exchange()
        bench.client.closeNotify()
        try bench.channel.writeInbound(ByteBuffer(bytes: bench.client.takeOutput()))
        #expect(bench.recorder.inputCloses == 1)
        #expect(bench.channel.isActive)
        try bench.channel.writeOutbound(ByteBuffer(bytes: [7]))
        try bench.client.receive(bench.fromServer())
        #expect(try bench.client.read() == [7])
        // The transport's own end says nothing new.
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(bench.recorder.inputCloses == 1)
        #expect(bench.recorder.otherErrors.isEmpty)
        bench.channel.close(promise: nil)
        try bench.client.receive(bench.fromServer())
        #expect(try bench.client.read() == [])
        #expect(bench.client.peerHasClosed)
    }

    @Test("says close_notify when this side closes")
    func closesFirst() throws {
        let bench = try Bench()
        try bench.exchange()
        bench.channel.close(promise: nil)
        try bench.client.receive(bench.fromServer())
        #expect(try bench.client.read() == [])
        #expect(bench.client.peerHasClosed)
    }

    @Test("sends an alert, tells the error once and closes, when the peer speaks no TLS")
    func noise() throws {
        let bench = try Bench()
        try bench.channel.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
        #expect(bench.recorder.tlsErrors.count == 1)
        #expect(!bench.channel.isActive)
        #expect(bench.recorder.bindings.isEmpty)
        #expect(bench.recorder.otherErrors.isEmpty)
    }

    @Test("closes at a record with a flipped bit, and delivers none of it")
    func flippedRecord() throws {
        let bench = try Bench()
        try bench.exchange()
        try bench.client.write([1, 2, 3, 4])
        var record = bench.client.takeOutput()
        record[record.count - 1] ^= 1
        try bench.channel.writeInbound(ByteBuffer(bytes: record))
        #expect(bench.recorder.plaintext.isEmpty)
        #expect(bench.recorder.tlsErrors.count == 1)
        #expect(!bench.channel.isActive)
        // An alert, not silence.
        #expect(try !bench.fromServer().isEmpty)
    }

    @Test("tells of an end without close_notify, but only once established")
    func truncation() throws {
        let bench = try Bench()
        try bench.exchange()
        bench.channel.pipeline.fireChannelInactive()
        #expect(
            bench.recorder.otherErrors as? [TLSStreamError] == [.endedWithoutCloseNotify])

        let early = try Bench()
        early.channel.pipeline.fireChannelInactive()
        #expect(early.recorder.otherErrors.isEmpty)
    }

    @Test("fails a write before the handshake and after the close")
    func earlyAndLateWrites() throws {
        let bench = try Bench()
        #expect(throws: TLSError.notEstablished) {
            try bench.channel.writeOutbound(ByteBuffer(bytes: [1]))
        }
        try bench.exchange()
        bench.channel.close(mode: .output, promise: nil)
        #expect(throws: ChannelError.self) {
            try bench.channel.writeOutbound(ByteBuffer(bytes: [1]))
        }
    }

    @Test("reads no further while the peer does not take what it was sent")
    func backpressure() throws {
        let bench = try Bench()
        let reads = ReadCounter()
        try bench.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        try bench.exchange()
        let before = reads.count
        bench.channel.isWritable = false
        bench.channel.read()
        bench.channel.read()
        #expect(reads.count == before)
        bench.channel.isWritable = true
        bench.channel.pipeline.fireChannelWritabilityChanged()
        #expect(reads.count == before + 1)
    }

    @Test("frees itself when its channel is gone")
    func leaks() throws {
        weak var gone: TLSServerHandler?
        do {
            let server = try TestServer()
            let handler = try TLSServerHandler(context: server.context)
            gone = handler
            let channel = EmbeddedChannel()
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.writeInbound(ByteBuffer(bytes: server.client().takeOutput()))
            _ = try channel.finish(acceptAlreadyClosed: true)
        }
        #expect(gone == nil)
    }
}

private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}
