import AgentAPI
import Bytes
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Linux
import NIOCore
import RuntimeCore

/// Answers that are read piece by piece while they are sent, so that memory does not grow with them.
struct Stream: Sendable {
    /// Bytes that are read at once.
    static let pieceSize = 1 << 17

    /// Gives the bytes from an offset on; none at the end.
    typealias Source = @Sendable (_ offset: UInt64) throws -> [UInt8]

    let workers: Workers
    /// Held until the answer has been sent.
    let place: Gate.Place
    let source: Source

    /// The bytes as they are.
    func response(
        from offset: UInt64 = 0, type: String, headers: HTTPFields = [:], count: Int? = nil
    ) -> Response {
        let body = ResponseBody(contentLength: count) { writer in
            try await pieces(from: offset) { piece in
                try await writer.write(ByteBuffer(bytes: piece))
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: headers.adding(.contentType, type), body: body)
    }

    /// The bytes as a JSON array of numbers.
    func numbers() -> Response {
        let body = ResponseBody { writer in
            var isFirst = true
            try await writer.write(ByteBuffer(string: "["))
            try await pieces(from: 0) { piece in
                try await writer.write(ByteBuffer(bytes: Self.numbers(piece, isFirst: isFirst)))
                isFirst = false
            }
            try await writer.write(ByteBuffer(string: "]"))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    /// The bytes, lines of text, as one JSON string.
    func text() -> Response {
        let body = ResponseBody { writer in
            var rest: [UInt8] = []
            try await writer.write(ByteBuffer(string: "\""))
            try await pieces(from: 0) { piece in
                // Whole lines, so that no character is cut apart.
                let end = piece.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
                let lines = rest + piece[..<end]
                rest = (end == 0 ? rest : []) + piece[end...]
                guard rest.count <= Self.pieceSize * 8 else {
                    throw SystemError(call: "a line that ends", subject: "IMA log", code: 0)
                }
                if end > 0 { try await writer.write(Self.inner(lines)) }
            }
            try await writer.write(Self.inner(rest))
            try await writer.write(ByteBuffer(string: "\""))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    private func pieces(
        from start: UInt64, _ body: ([UInt8]) async throws -> Void
    ) async throws {
        var offset = start
        while true {
            let piece = try await workers.file { [offset] in try source(offset) }
            if piece.isEmpty { break }
            offset += UInt64(piece.count)
            try await body(piece)
        }
        withExtendedLifetime(place) {}
    }

    private static let texts: [[UInt8]] = (0...255).map { Array(",\($0)".utf8) }

    static func numbers(_ piece: [UInt8], isFirst: Bool) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(piece.count * 4)
        for byte in piece { text += texts[Int(byte)] }
        if isFirst { text.removeFirst() }
        return text
    }

    /// As JSON has it between quotation marks.
    private static func inner(_ text: [UInt8]) -> ByteBuffer {
        let quoted = JSONString.quoted(String(decoding: text, as: UTF8.self)).utf8
        return ByteBuffer(bytes: quoted.dropFirst().dropLast())
    }
}

extension HTTPFields {
    fileprivate func adding(_ name: HTTPField.Name, _ value: String) -> HTTPFields {
        var fields = self
        fields[name] = value
        return fields
    }
}
