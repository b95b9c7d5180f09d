import Bytes
import OpenSSL
import Testing

@Suite struct TLSEngineTests {
    private func link(
        pins: [FixedBytes<32>]? = nil, serverALPN: String = "bootgate/1", chunk: Int = .max
    ) throws -> (TestLink, TestServer) {
        let server = try TestServer(alpn: serverALPN)
        let client = try TLSClientContext(pins: pins ?? [server.pin], alpn: "bootgate/1")
        let link = try TestLink(
            client: TLSEngine(client: client, serverName: "broker.example"),
            server: TLSEngine(server: server.context), chunk: chunk)
        return (link, server)
    }

    @Test("establishes however the wire cuts the bytes", arguments: [1, 7, 1000, Int.max])
    func establishes(chunk: Int) throws {
        let (link, server) = try link(chunk: chunk)
        try link.establish()
        #expect(link.client.peerKeyDigest == server.pin)
        #expect(link.server.peerKeyDigest == nil)
        let binding = try link.client.channelBinding()
        #expect(try link.server.channelBinding() == binding)
        #expect(!binding.isZero)
    }

    @Test("gives each connection another channel binding")
    func freshBinding() throws {
        let server = try TestServer()
        let context = try TLSClientContext(pins: [server.pin], alpn: "bootgate/1")
        var bindings: Set<FixedBytes<32>> = []
        for _ in 0..<3 {
            let link = try TestLink(
                client: TLSEngine(client: context, serverName: nil),
                server: TLSEngine(server: server.context))
            try link.establish()
            bindings.insert(try link.client.channelBinding())
        }
        #expect(bindings.count == 3)
    }

    @Test("carries plaintext both ways, in order, also when records come in pieces")
    func carries() throws {
        let (link, _) = try link()
        try link.establish()
        let text = (0..<40_000).map { UInt8(truncatingIfNeeded: $0) }
        try link.client.write(text)
        var got: [UInt8] = []
        var rest = link.client.takeOutput()[...]
        while !rest.isEmpty {
            try link.server.receive(Array(rest.prefix(777)))
            got += try link.server.read()
            rest = rest.dropFirst(777)
        }
        #expect(got == text)
        try link.server.write([1, 2, 3])
        try link.client.receive(link.server.takeOutput())
        #expect(try link.client.read() == [1, 2, 3])
        #expect(try link.client.read() == [])
    }

    @Test("says when the peer has closed, after its last bytes, and can still answer")
    func closes() throws {
        let (link, _) = try link()
        try link.establish()
        try link.client.write([9])
        link.client.closeNotify()
        try link.server.receive(link.client.takeOutput())
        #expect(try link.server.read() == [9])
        #expect(link.server.peerHasClosed)
        #expect(try link.server.read() == [])
        try link.server.write([8])
        try link.client.receive(link.server.takeOutput())
        #expect(try link.client.read() == [8])
        #expect(!link.client.peerHasClosed)
    }

    @Test("ends at a server whose key is not pinned, and sends it no more than an alert")
    func wrongPin() throws {
        let other = try TestServer()
        let (link, server) = try link(pins: [other.pin])
        #expect(throws: TLSError.peerKeyNotPinned(presented: server.pin)) { try link.establish() }
        let last = link.client.takeOutput()
        #expect(last.count < 64)
        #expect(throws: TLSError.peerKeyNotPinned(presented: server.pin)) {
            try link.client.write([1])
        }
        #expect(link.client.takeOutput().isEmpty)
        try link.server.receive(last)
        #expect(throws: TLSError.self) { _ = try link.server.handshake() }
    }

    @Test("accepts each of several pins, and no certificate's dates")
    func severalPins() throws {
        let spare = try TestServer()
        let expired = try TestServer(notAfter: 1)
        let client = try TLSClientContext(pins: [spare.pin, expired.pin], alpn: "bootgate/1")
        for server in [spare, expired] {
            let link = try TestLink(
                client: TLSEngine(client: client, serverName: nil),
                server: TLSEngine(server: server.context))
            try link.establish()
            #expect(link.client.peerKeyDigest == server.pin)
        }
    }

    @Test("refuses a client that offers another ALPN protocol, and the client learns why")
    func otherProtocol() throws {
        let (link, _) = try link(serverALPN: "bootgate/2")
        #expect(throws: TLSError.protocolNotAgreed(expected: "bootgate/2")) {
            try link.establish()
        }
        try link.client.receive(link.server.takeOutput())
        #expect(throws: TLSError.protocolNotAgreed(expected: "bootgate/1")) {
            _ = try link.client.handshake()
        }
    }

    @Test("refuses a client without ALPN")
    func withoutProtocol() throws {
        let engine = try TLSEngine(server: TestServer().context)
        try engine.receive(bytes(ClientHello.withoutALPN))
        #expect(throws: TLSError.protocolNotAgreed(expected: "bootgate/1")) {
            _ = try engine.handshake()
        }
    }

    @Test("refuses a client of TLS 1.2")
    func oldVersion() throws {
        let engine = try TLSEngine(server: TestServer().context)
        try engine.receive(bytes(ClientHello.version12))
        let fault = OpenSSLFault(call: "SSL_do_handshake", reason: "unsupported protocol")
        #expect(throws: TLSError.handshakeFailed(fault)) { _ = try engine.handshake() }
        // A fatal alert, protocol_version.
        #expect(engine.takeOutput().suffix(2) == [2, 70])
    }

    @Test("refuses what is no TLS at all")
    func noise() throws {
        let engine = try TLSEngine(server: TestServer().context)
        try engine.receive(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(throws: TLSError.self) { _ = try engine.handshake() }
    }

    @Test("refuses a record with a flipped bit, and stays refused")
    func flippedRecord() throws {
        let (link, _) = try link()
        try link.establish()
        try link.client.write(Array("disk".utf8))
        var record = link.client.takeOutput()
        record[record.count - 1] ^= 1
        try link.server.receive(record)
        #expect(throws: TLSError.self) { _ = try link.server.read() }
        #expect(throws: TLSError.self) { try link.server.write([1]) }
    }

    @Test("takes no more than its limit without being read")
    func bounded() throws {
        let (link, _) = try link()
        try link.establish()
        try link.server.receive([UInt8](repeating: 0x17, count: TLSEngine.inputLimit))
        #expect(throws: TLSError.tooMuchPending(limit: TLSEngine.inputLimit)) {
            try link.server.receive([0])
        }
    }

    @Test("has nothing to read, write or export before the handshake is done")
    func early() throws {
        let engine = try TLSEngine(server: TestServer().context)
        #expect(throws: TLSError.notEstablished) { _ = try engine.read() }
        #expect(throws: TLSError.notEstablished) { try engine.write([1]) }
        #expect(throws: TLSError.notEstablished) { _ = try engine.channelBinding() }
    }

    @Test("sends the server's name, but never an address")
    func serverNames() throws {
        let context = try TLSClientContext(pins: [FixedBytes()], alpn: "bootgate/1")
        for (name, isSent) in [
            ("broker.example", true), ("192.0.2.7", false), ("2001:db8::7", false),
        ] {
            let engine = try TLSEngine(client: context, serverName: name)
            _ = try engine.handshake()
            let hello = String(decoding: engine.takeOutput(), as: UTF8.self)
            #expect(hello.contains(name) == isSent, "\(name)")
        }
    }

    @Test("says what is wrong with a context's parts")
    func contexts() throws {
        #expect(throws: TLSError.pinCount(0)) { _ = try TLSClientContext(pins: [], alpn: "a") }
        let digest = FixedBytes<32>()
        #expect(throws: TLSError.pinCount(17)) {
            _ = try TLSClientContext(pins: Array(repeating: digest, count: 17), alpn: "a")
        }
        #expect(throws: TLSError.protocolNameLength(0)) {
            _ = try TLSClientContext(pins: [digest], alpn: "")
        }
        let server = try TestServer()
        #expect(throws: TLSError.self) {
            _ = try TLSServerContext(
                certificatePEM: server.certificate.pem,
                privateKeyPEM: SigningKey.generate(.p256).pem(), alpn: "a")
        }
        #expect(throws: TLSError.privateKey("expected P-256, is P-384")) {
            _ = try TLSServerContext(
                certificatePEM: server.certificate.pem,
                privateKeyPEM: SigningKey.generate(.p384).pem(), alpn: "a")
        }
    }
}
