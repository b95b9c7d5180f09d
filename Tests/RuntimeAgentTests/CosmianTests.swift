import Bytes
import Foundation
import Linux
import OpenSSL
import Settings
import TestSupport
import Testing

@testable import RuntimeAgent

@Suite("Cosmian's interface")
struct CosmianTests {
    @Test("the log is a JSON string, and an array of its bytes")
    func logs() async throws {
        try await TestAgent.with { agent in
            let ascii = (0..<9000).map { "10 \($0) ima-ng sha256:00 /tmp/\"é\\\t\($0)\n" }.joined()
            let binary = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try agent.putIMALog(binary: binary, ascii: Array(ascii.utf8))
            let text = try await agent.request("/ima/ascii")
            #expect(text.headers.contains("application/json"))
            #expect(text.json?.string == ascii)
            let numbers = try await agent.request("/ima/binary")
            #expect(numbers.json?.array?.map { UInt8($0.integer ?? 999) } == binary)
            try agent.putIMALog(binary: [], ascii: [])
            #expect(try await agent.request("/ima/binary").text == "[]")
            #expect(try await agent.request("/ima/ascii").text == "\"\"")
        }
    }

    @Test("a report is over the nonce and the leaf certificate's digest")
    func report() async throws {
        try await TestAgent.with { agent in
            let nonce = (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 8 &+ 0xf8) }
            let escaped = Base64.encode(nonce).replacing("+", with: "%2B")
                .replacing("/", with: "%2F").replacing("=", with: "%3D")
            let answer = try await agent.request("/quote/tee?nonce=\(escaped)")
            let bytes = try #require(answer.json?.array).map { UInt8($0.integer ?? 999) }
            let leaf = agent.agent.parts.identity.now.tls.certificateDigest
            #expect(Array(bytes[0x50..<0x90]) == nonce + leaf.bytes)
            for bad in ["", "?nonce=", "?nonce=AAAA", "?nonce=%00", "?other=1"] {
                let refused = try await agent.request("/quote/tee\(bad)")
                #expect(refused.status == 400 && refused.headers.contains("text/plain"))
            }
        }
    }

    @Test(
        "a TPM's quote has the four members that clients read",
        .enabled(if: SoftwareTPM.isInstalled))
    func quote() async throws {
        let tpm = try SoftwareTPM()
        try await TestAgent.with(tpm: .simulator(port: tpm.port)) { agent in
            let nonce = Base64.encode(Array(repeating: 7, count: 32)).replacing("=", with: "%3D")
            let answer = try await agent.request("/quote/tpm?nonce=\(nonce)")
            #expect(answer.status == 200, "\(answer.text)")
            let names = answer.json?.members?.map(\.name)
            #expect(names == ["pcr_value_hash_method", "quote", "signature", "public_key"])
            #expect(answer.json?["pcr_value_hash_method"]?.string == "Sha256")
            let quote = try #require(answer.json?["quote"]?.string.flatMap { Base64.decode($0) })
            #expect(quote.starts(with: [0xff, 0x54, 0x43, 0x47, 0x80, 0x18]))
            #expect(quote.firstRange(of: [UInt8](repeating: 7, count: 32)) != nil)
        }
        withExtendedLifetime(tpm) {}
    }

    @Test("errors are text, and those of our own have a reference that the journal has too")
    func errors() async throws {
        try await TestAgent.with(tpm: .simulator(port: 1)) { agent in
            let answer = try await agent.request("/quote/tpm?nonce=AAAA")
            #expect(answer.status == 503 && answer.headers.contains("text/plain"))
            #expect(answer.text.contains("(reference A-"))
            #expect(try await agent.request("/ima/ascii").status == 404)
        }
    }

    @Test("a snapshot takes a login to begin, and none to be looked at")
    func snapshot() async throws {
        try await TestAgent.with { agent in
            #expect(try await agent.request("/snapshot").status == 401)
            let begun = try await agent.request("/snapshot", login: true)
            #expect(begun.status == 202 && begun.text == "null")
            var answer = begun
            while answer.status == 202 {
                try await Task.sleep(for: .milliseconds(50))
                answer = try await agent.request("/snapshot")
            }
            #expect(answer.status == 200 && answer.text.contains("\"filehashes\""))
            let deleted = try await agent.request("/snapshot", "-X", "DELETE", login: true)
            #expect(deleted.status == 200 && deleted.text == "null")
        }
    }
}
