import Bytes
import Testing

@Suite(.serialized) struct SecretBytesTests {
    @Test("leaves no byte in the arena when the value dies")
    func wipes() {
        let pattern: [UInt8] = Array("a secret that nobody else wrote!".utf8)
        do {
            let secret = unsafe SecretBytes(copying: pattern.span.bytes)
            #expect(secret.count == 32)
            #expect(arenaHolds(pattern))
        }
        #expect(!arenaHolds(pattern))
    }

    private func arenaHolds(_ pattern: [UInt8]) -> Bool {
        let region = unsafe UnsafeRawBufferPointer(SecretArena.shared.region)
        return stride(from: 0, to: region.count, by: SecretArena.cellSize).contains {
            unsafe region[$0..<$0 + pattern.count].elementsEqual(pattern)
        }
    }
}
