import Bytes
import Curl
import Foundation
import OpenSSL
import TestSupport
import Testing

@Suite("Getting documents from web servers")
struct DownloaderTests {
    private let folder = TestFolder()

    @Test("gives status, headers in lower case and body, and follows no redirect")
    func answers() throws {
        let server = try VendorServer()
        defer { server.stop() }
        server.answer("/a", .good([1, 2, 3], ["X-Name:  a value ", "x-name: another"]))
        server.answer("/b", .status(302, ["Location: /a"]))
        let downloader = Downloader(proxy: .none)
        let answer = try downloader.get(server.url + "/a")
        #expect(answer.status == 200)
        #expect(answer.body == [1, 2, 3])
        #expect(answer.header("x-name") == "a value")
        #expect(try downloader.get(server.url + "/b").status == 302)
        #expect(server.requests == ["/a", "/b"])
    }

    @Test("asks the proxy that it is given, and no other")
    func proxy() throws {
        let server = try VendorServer()
        defer { server.stop() }
        server.answer("http://vendor.invalid/x", .good([7]))
        let answer = try Downloader(proxy: .url(server.url)).get("http://vendor.invalid/x")
        #expect(answer.body == [7])
        #expect(throws: HTTPFault.self) {
            _ = try Downloader(proxy: .none).get("http://vendor.invalid/x")
        }
        #expect(server.connections == 1)
    }

    @Test("reads headers and bodies up to their limits, and knows no other protocol")
    func limits() throws {
        let server = try VendorServer()
        defer { server.stop() }
        server.answer("/body", .good([UInt8](repeating: 0, count: 101)))
        server.answer("/header", .good([], ["X: " + String(repeating: "x", count: 2000)]))
        var limits = Downloader.Limits()
        limits.body = 100
        limits.headers = 1000
        let downloader = Downloader(limits: limits, proxy: .none)
        #expect(throws: HTTPFault.answerTooLong(limit: 100)) {
            _ = try downloader.get(server.url + "/body")
        }
        #expect(throws: HTTPFault.answerTooLong(limit: 1000)) {
            _ = try downloader.get(server.url + "/header")
        }
        #expect(throws: HTTPFault.self) { _ = try downloader.get("file:///etc/passwd") }
    }

    @Test("believes an HTTPS server by the authorities that it is given only")
    func authorities() throws {
        let key = try SigningKey.generate(.p256)
        var template = CertificateTemplate(
            subject: .init(commonName: "vendor"), issuer: .init(commonName: "vendor"),
            serial: [1], notBefore: 1_600_000_000, notAfter: 4_000_000_000,
            signature: .ecdsaSHA256)
        template.alternativeNames = ["127.0.0.1"]
        let certificate = try X509Certificate(
            der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
        try folder.put("server.pem", certificate.pem)
        let secret = try key.pem()
        try folder.put("server.key", unsafe secret.withBytes { unsafe [UInt8]($0) })
        try folder.put("document", [1, 2, 3])
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "s_server", "-accept", "127.0.0.1:0", "-cert", "server.pem", "-key", "server.key",
            "-WWW",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            // The runner may have SIGTERM blocked, which a child inherits.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        var text = ""
        while !text.contains("ACCEPT 127.0.0.1:") || !text.hasSuffix("\n") {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty)
            text += String(decoding: more, as: UTF8.self)
        }
        let port = try #require(text.split(separator: ":").last).prefix { $0.isNumber }
        let url = "https://127.0.0.1:\(port)/document"
        let believing = Downloader(proxy: .none, authorities: folder.path + "/server.pem")
        #expect(try believing.get(url).body == [1, 2, 3])
        let fault = #expect(throws: HTTPFault.self) {
            _ = try Downloader(proxy: .none).get(url)
        }
        guard case .untrusted = fault else {
            Issue.record("expected a distrust, got \(String(describing: fault))")
            return
        }
    }
}
