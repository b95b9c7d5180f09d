import AdminAPI
import BrokerCore
import Bytes
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

extension AdminResponder {
    /// What lies below `/v1/vms/ID/`.
    func runtime(_ request: Request, _ id: String, _ rest: [String]) async throws -> Response {
        switch (request.method, rest) {
        case (.get, ["runtime"]): return try Self.json(await service.runtime(id))
        case (.post, ["resume"]):
            return try Self.json(await service.resume(id, try await decode(request)))
        case (.post, ["expect-reboot"]):
            return try Self.json(await service.expectReboot(id, try await decode(request)))
        case (.post, ["update", "begin"]):
            return try Self.json(await service.beginUpdate(id, try await decode(request)))
        case (.post, ["update", "end"]):
            return try Self.json(await service.endUpdate(id, try await decode(request)))
        case (.get, ["events"]):
            return try Self.json(await service.events(id, limit: try limit(request)))
        case (.post, ["events"]):
            let kind = try query(request, allowing: ["kind"])["kind"] ?? ""
            return try Self.json(await service.note(id, kind, try await decode(request)))
        case (.get, ["reports"]):
            return try Self.json(await service.reports(id, limit: try limit(request)))
        case (.get, ["snapshot"]): return try Self.json(await service.snapshot(id))
        case (.put, ["snapshot"]): return try Self.json(await registerSnapshot(request, id))
        case (.get, ["snapshot", "file"]): return try await snapshotFile(id)
        default: throw Self.unknownPath(request)
        }
    }

    private func registerSnapshot(_ request: Request, _ id: String) async throws -> SnapshotRecord {
        let signing = try signing(request)
        let incoming = try await service.receiveSnapshot(id)
        do {
            for try await buffer in request.body {
                try incoming.append(Array(buffer.readableBytesView))
            }
            return try await service.register(incoming, for: id, signing)
        } catch IncomingSnapshot.Fault.tooLarge {
            throw AdminFault(.tooLarge, "expected at most \(SnapshotFiles.maximumCount) bytes")
        } catch IncomingSnapshot.Fault.unreadable(let error) {
            throw AdminFault(.invalid, "expected a snapshot: \(error)")
        }
    }

    private func signing(_ request: Request) throws(AdminFault) -> SnapshotSigning {
        let values = try query(request, allowing: ["signature", "key", "replace_signer"])
        var signing = SnapshotSigning()
        switch values["replace_signer"] {
        case nil, "0": break
        case "1": signing.replacesSigner = true
        default: throw AdminFault(.invalid, "expected 0 or 1", field: "replace_signer")
        }
        switch (values["signature"], values["key"]) {
        case (nil, nil): break
        case (let signature?, let key?):
            guard let bytes = Hex.decode(signature) else {
                throw AdminFault(.invalid, "expected hexadecimal digits", field: "signature")
            }
            guard let keyBytes = Hex.decode(key) else {
                throw AdminFault(.invalid, "expected hexadecimal digits", field: "key")
            }
            signing.signature = (bytes, keyBytes)
        default: throw AdminFault(.invalid, "expected signature and key together", field: "key")
        }
        return signing
    }

    private func snapshotFile(_ id: String) async throws -> Response {
        let (file, size) = try await service.snapshotFile(id)
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(contentLength: Int(size)) { writer in
                while true {
                    let bytes = try file.next()
                    if bytes.isEmpty { break }
                    try await writer.write(ByteBuffer(bytes: bytes))
                }
                try await writer.finish(nil)
            })
    }

    /// How many rows are wanted.
    private func limit(_ request: Request) throws(AdminFault) -> Int {
        guard let text = try query(request, allowing: ["limit"])["limit"] else { return 50 }
        guard let limit = Int(text), (1...1000).contains(limit) else {
            throw AdminFault(.invalid, "expected 1 to 1000", field: "limit")
        }
        return limit
    }

    private func query(
        _ request: Request, allowing names: Set<String>
    ) throws(AdminFault) -> [String: String] {
        var values: [String: String] = [:]
        for (name, value) in request.uri.queryParameters {
            guard names.contains(String(name)) else {
                throw AdminFault(
                    .invalid, "expected \(names.sorted().joined(separator: " or "))",
                    field: String(name))
            }
            values[String(name)] = value.replacing("+", with: " ").removingPercentEncoding
        }
        return values
    }
}
