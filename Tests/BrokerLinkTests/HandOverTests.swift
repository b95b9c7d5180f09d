import BrokerLink
import Bytes
import Foundation
import Linux
import OpenSSL
import Protocol
import Testing

@Suite("What a launch leaves for the booted system")
struct HandOverTests {
    private let directory = "/tmp/bootgate-handover-\(Hex.encode(Random.bytes(8)))"
    private var config: String { "\(directory)/gate.conf" }
    private var outcome: String { "\(directory)/outcome" }
    private let late = LateOutcome(
        launchID: FixedBytes(Random.bytes(16)) ?? FixedBytes(),
        proof: FixedBytes(Random.bytes(32)) ?? FixedBytes())
    private let text = """
        # comments count too: the digest is that of the file
        vm = web-1
        broker = broker.example
        pin = sha256:\(String(repeating: "ab", count: 32))
        device = UUID=6a1c2f7e-5f0b-4c1e-9a53-0c8d2f6b7e11
        anchor = host-data

        """

    private func cleaned(_ body: () throws -> Void) throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body()
    }

    @Test("the configuration comes back with the digest of its very bytes, readable by root alone")
    func configuration() throws {
        try cleaned {
            #expect(try HandOver.config(at: config) == nil)
            try HandOver.leave(config: Array(text.utf8), at: config)
            let attested = try #require(try HandOver.config(at: config))
            #expect(attested.config.vm == VMIdentifier("web-1"))
            #expect(attested.digest == OpenSSLHashing().sha256(Array(text.utf8)))
            #expect(try FileStatus(of: FileDescriptor(config, .read)).mode == 0o600)
            #expect(try FileStatus(of: FileDescriptor(directory, .read)).mode == 0o700)
            try HandOver.leave(config: Array("\(text)unknown = 1\n".utf8), at: config)
            #expect {
                _ = try HandOver.config(at: config)
            } throws: { error in
                "\(error)".hasPrefix("\(config): ")
            }
            try HandOver.leave(
                config: [UInt8](repeating: 0x23, count: GateConfig.maximumLength + 1), at: config)
            #expect(throws: HandOverError.self) { _ = try HandOver.config(at: config) }
        }
    }

    @Test("a proof comes back as it was, and no other text is one")
    func proof() throws {
        try cleaned {
            #expect(try HandOver.outcome(at: outcome) == nil)
            try HandOver.leave(late, at: outcome)
            #expect(try HandOver.outcome(at: outcome) == late)
            try File.writeAtomically(outcome, Array("launch=\n".utf8))
            #expect(throws: HandOverError.outcome(path: outcome)) {
                _ = try HandOver.outcome(at: outcome)
            }
        }
        for length in 0..<late.text.utf8.count {
            #expect(LateOutcome(text: String(late.text.prefix(length))) == nil)
        }
        #expect(LateOutcome(text: late.text + "\n") == nil)
        #expect(LateOutcome(text: late.text.uppercased()) == nil)
        #expect(LateOutcome(text: late.text.replacing("proof=", with: "proof= ")) == nil)
    }
}
