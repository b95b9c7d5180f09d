import AdminAPI
import Bytes
import Curl

/// What the broker knows of running VMs.
extension AdminClient {
    func runtime(_ vm: String) throws(Failure) -> RuntimeRecord { try get(AdminPath.runtime(vm)) }

    /// The same, or nil where no broker can be asked or it does not know the VM.
    func runtimeIfKnown(_ vm: String) throws(Failure) -> RuntimeRecord? {
        let answer: HTTPClient.Answer
        do throws(HTTPFault) {
            answer = try http.send(.get, AdminPath.runtime(vm))
        } catch {
            return nil
        }
        return [403, 404].contains(answer.status) ? nil : try decode(answer)
    }

    func resume(_ vm: String, reason: String) throws(Failure) -> RuntimeRecord {
        try request(.post, AdminPath.resume(vm), RuntimeRequest(reason: reason))
    }

    func expectReboot(
        _ vm: String, reason: String, seconds: Int64
    ) throws(Failure) -> RuntimeRecord {
        try request(
            .post, AdminPath.expectReboot(vm), RuntimeRequest(reason: reason, seconds: seconds))
    }

    func beginUpdate(
        _ vm: String, reason: String, seconds: Int64
    ) throws(Failure) -> RuntimeRecord {
        try request(
            .post, AdminPath.beginUpdate(vm), RuntimeRequest(reason: reason, seconds: seconds))
    }

    func endUpdate(_ vm: String, reason: String) throws(Failure) -> RuntimeRecord {
        try request(.post, AdminPath.endUpdate(vm), RuntimeRequest(reason: reason))
    }

    /// Puts an event into the ledger; `kind` is such as `app init`.
    func tell(_ vm: String, kind: String, detail: String) throws(Failure) {
        let text = Array(JSONText.compact(RuntimeRequest(reason: detail)).utf8)
        let target = AdminPath.events(vm) + "?kind=" + Self.escaped(kind)
        try accept(send { () throws(HTTPFault) in try http.send(.post, target, json: text) })
    }

    func events(_ vm: String, limit: Int) throws(Failure) -> EventList {
        try get("\(AdminPath.events(vm))?limit=\(limit)")
    }

    func reports(_ vm: String, limit: Int) throws(Failure) -> ReportList {
        try get("\(AdminPath.reports(vm))?limit=\(limit)")
    }

    func report(_ reference: String) throws(Failure) -> ReportRecord {
        try get(AdminPath.report(Self.escaped(reference)))
    }

    /// Registers a snapshot that its owner signed.
    ///
    /// - Parameters:
    ///   - key: DER SubjectPublicKeyInfo.
    ///   - replacesSigner: whether it may be another key than that of the snapshots before.
    func register(
        _ file: [UInt8], for vm: String, signature: [UInt8], key: [UInt8], replacesSigner: Bool
    ) throws(Failure) -> SnapshotRecord {
        let query =
            "?signature=\(Hex.encode(signature))&key=\(Hex.encode(key))"
            + (replacesSigner ? "&replace_signer=1" : "")
        return try decode(
            send { () throws(HTTPFault) in
                try http.send(
                    .put, AdminPath.snapshot(vm) + query, body: file, type: "application/json")
            })
    }

    /// The registered snapshot's file.
    func snapshotFile(_ vm: String) throws(Failure) -> [UInt8] {
        let answer = try send { () throws(HTTPFault) in
            try http.send(.get, AdminPath.snapshotFile(vm))
        }
        try accept(answer)
        return answer.body
    }
}
