import Bytes
import OpenSSL
import Testing

@Suite struct SecretHeapTests {
    @Test("leaves neither private key nor plaintext anywhere in the memory of the process")
    func leavesNothing() async {
        await #expect(processExitsWith: .success) {
            guard OpenSSLLibrary.useSecretHeap() else { throw Finding("no secret heap") }
            let scalar = (0..<32).map { UInt8(($0 &* 37 &+ 11) & 0xff) | 1 }
            var clamped = scalar
            // RFC 7748 clears bits 0 to 2 and 255 and sets bit 254; masked, it is the reverse.
            clamped[0] |= 0x07
            clamped[31] = (clamped[31] | 0x80) & 0xbf
            let text = (0..<32).map { UInt8(($0 &* 29 &+ 5) & 0xff) }

            let key = try HPKEPrivateKey(scalar: unmasked(scalar))
            guard try MemoryScan.count(masked: clamped) > 0 else {
                throw Finding("the control found no live key")
            }
            let sealed = try HPKE.seal(
                to: key.publicKey, info: [1], aad: [], plaintext: unmasked(text),
                ephemeral: unmasked(text.reversed()))
            do {
                let opened = try key.open(
                    enc: sealed.enc, info: [1], aad: [], ciphertext: sealed.ciphertext)
                guard opened.count == 32, try MemoryScan.count(masked: text) > 0 else {
                    throw Finding("the control found no live plaintext")
                }
            }
            drop(key)
            for secret in [clamped, text, scalar] {
                let count = try MemoryScan.count(masked: secret)
                guard count == 0 else { throw Finding("\(count) copies left") }
            }
        }
    }

    @Test("comes too late once OpenSSL has allocated")
    func tooLate() async {
        await #expect(processExitsWith: .success) {
            _ = OpenSSLHashing().sha256([1])
            guard !OpenSSLLibrary.useSecretHeap() else { throw Finding("claimed to work") }
        }
    }
}

private struct Finding: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

private func drop(_ key: consuming HPKEPrivateKey) {}

/// A secret that is written in the arena only.
private func unmasked(_ masked: [UInt8]) -> SecretBytes {
    unsafe SecretBytes(count: masked.count) { block in
        for (index, byte) in masked.enumerated() { unsafe block[index] = byte ^ 0xff }
    }
}
