import Bytes
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Answers in JSON, and the small requests that come in it.
enum JSON {
    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ByteBuffer(bytes: try encoder.encode(value))
    }

    static func response(
        _ value: some Encodable, _ status: HTTPResponse.Status = .ok
    ) throws -> Response {
        response(try encode(value), status)
    }

    /// An answer that is JSON already.
    static func response(_ text: ByteBuffer, _ status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: text))
    }

    /// The members of an object that has no others than `known`.
    static func members(
        _ body: [UInt8], known: Set<String>, values: Int = 4096
    ) throws(Refusal) -> JSONValue {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONReader.parse(
                body, limits: JSONReader.Limits(byteCount: body.count, depth: 3, values: values))
        } catch {
            throw .malformed("the body is not the JSON that was expected: \(error)")
        }
        guard let members = value.members else {
            throw .malformed("expected a JSON object, is \(value.kind)")
        }
        if let unknown = members.first(where: { !known.contains($0.name) }) {
            throw .malformed(
                "unknown member \(unknown.name.prefix(64).debugDescription); expected "
                    + known.sorted().joined(separator: ", "))
        }
        return value
    }

    /// Finds the base64 text of `{"content": "…"}`, without making a string of it that nobody can wipe.
    static func content(of body: [UInt8]) throws(Refusal) -> [UInt8] {
        let fault = Refusal.malformed(
            #"expected {"content": base64} and nothing else, no escapes but \/"#)
        var rest = body[...]
        func skip(_ text: String) throws(Refusal) {
            rest = rest.drop { [0x20, 0x09, 0x0a, 0x0d].contains($0) }
            guard rest.starts(with: text.utf8) else { throw fault }
            rest = rest.dropFirst(text.utf8.count)
        }
        for token in ["{", "\"content\"", ":", "\""] { try skip(token) }
        guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { throw fault }
        // Some writers escape the slash; the backslash of anything else is no base64.
        let text = rest[..<end]
        var characters: [UInt8] = []
        characters.reserveCapacity(text.count)
        for (index, character) in zip(text.indices, text)
        where character != UInt8(ascii: "\\") || !text[index...].starts(with: #"\/"#.utf8) {
            characters.append(character)
        }
        rest = rest[end...]
        for token in ["\"", "}"] { try skip(token) }
        let content = Base64.decode(characters: characters)
        characters.wipe()
        guard rest.allSatisfy({ [0x20, 0x09, 0x0a, 0x0d].contains($0) }), let content else {
            throw fault
        }
        return content
    }
}
