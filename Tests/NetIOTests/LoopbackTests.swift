import Bytes
import Foundation
import NIOCore
import NIOPosix
import NetIO
import OpenSSL
import Testing

/// A server on a real socket, and the `openssl` program as its client.
@Suite struct LoopbackTests {
    @Test("serves openssl s_client, with the exporter it sees")
    func serves() async throws {
        try await withServer { port in
            let output = try await openssl(
                port: port, "-tls1_3", "-alpn", "bootgate/1",
                "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32")
            let binding = try #require(
                output.split(whereSeparator: \.isNewline).map(String.init).last { $0.count == 64 })
            #expect(output.contains("Keying material: \(binding.uppercased())"))
            #expect(output.contains("ALPN protocol: bootgate/1"))
            #expect(output.contains("New, TLSv1.3"))
            #expect(!output.contains("Post-Handshake New Session Ticket"))
        }
    }

    @Test(
        "refuses older versions and other protocols",
        arguments: [
            ["-tls1_2", "-alpn", "bootgate/1"], ["-tls1_3"], ["-tls1_3", "-alpn", "http/1.1"],
            ["-tls1_3", "-alpn", "bootgate/1", "-groups", "P-521"],
        ])
    func refuses(options: [String]) async throws {
        try await withServer { port in
            let output = try await openssl(port: port, options)
            #expect(output.contains("alert"))
            #expect(!output.contains("New, TLS"))
        }
    }

    /// Runs a server that sends each client the channel binding in hexadecimal digits, then closes.
    private func withServer(_ body: (Int) async throws -> Void) async throws {
        let server = try TestServer()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = try TLSServerHandler(context: server.context)
                    try channel.pipeline.syncOperations.addHandlers([tls, BindingSender()])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(listener.localAddress?.port ?? 0)
        } catch {
            try await listener.close()
            try await group.shutdownGracefully()
            throw error
        }
        try await listener.close()
        try await group.shutdownGracefully()
    }

    private func openssl(port: Int, _ options: String...) async throws -> String {
        try await openssl(port: port, options)
    }

    private func openssl(port: Int, _ options: [String]) async throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-ign_eof"] + options
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self)
    }
}

private final class BindingSender: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let established = event as? TLSEstablished else { return }
        let text = ByteBuffer(string: established.channelBinding.hex + "\n")
        context.writeAndFlush(wrapOutboundOut(text), promise: nil)
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The client's output tells what the test looks at.
        context.close(promise: nil)
    }
}
