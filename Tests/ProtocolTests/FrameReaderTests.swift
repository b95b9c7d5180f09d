import Protocol
import Testing

@Suite struct FrameReaderTests {
    @Test("judges a header before it keeps a byte of the body")
    func header() throws {
        var reader = FrameReader()
        var input: ArraySlice<UInt8> = [1, 2, 0, 0, 0, 74] + [UInt8](repeating: 0, count: 74)[...]
        #expect(throws: SessionError.bodyTooLong(.challenge, length: 74, maximum: 73)) {
            _ = try reader.next(from: &input, allowed: [.challenge])
        }
        #expect(reader.buffered <= Frame.headerLength)
    }

    @Test("refuses a type that the state does not allow, however long it is")
    func state() throws {
        var reader = FrameReader()
        var input: ArraySlice<UInt8> = [1, 3, 0, 8, 0, 0]
        #expect(throws: SessionError.unexpectedMessage(.evidence)) {
            _ = try reader.next(from: &input, allowed: [.hello])
        }
    }

    @Test("refuses any byte out of turn, and takes none at any time")
    func turn() throws {
        var reader = FrameReader()
        var nothing: ArraySlice<UInt8> = []
        #expect(try reader.next(from: &nothing, allowed: []) == nil)
        var input: ArraySlice<UInt8> = [1]
        #expect(throws: SessionError.bytesOutOfTurn(count: 1)) {
            _ = try reader.next(from: &input, allowed: [])
        }
    }

    @Test("leaves the bytes after a frame for the next one", arguments: 0...14)
    func two(cut: Int) throws {
        let bytes = Frame.encode(.refused, [1, 1, 0x4c]) + Frame.encode(.close)
        var reader = FrameReader()
        var frames: [Frame] = []
        for part in [bytes[..<cut], bytes[cut...]] {
            var input = part
            while let frame = try reader.next(from: &input, allowed: [.refused, .close]) {
                frames.append(frame)
            }
            #expect(input.isEmpty)
        }
        #expect(frames.map(\.type) == [.refused, .close])
        #expect(reader.buffered == 0)
    }
}
