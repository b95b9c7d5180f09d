import AgentAPI
import Bytes
import Evidence
import Linux
import OpenSSL
import Policy

/// Has an agent make a snapshot, fetches it, and holds it against fresh evidence.
struct SnapshotTaker {
    /// In findings: whether the evidence names the file that came.
    static let fileCheck = "snapshot file"

    private static let pause: UInt64 = 500

    let client: AgentClient
    let judge: RuntimeJudge
    let showsProgress: Bool

    /// A snapshot that is verified and not yet in its place.
    struct Taken {
        let file: SnapshotFile
        let report: VerifyReport
        fileprivate let temporary: TemporaryFile

        /// Leaves of the file what Cosmian's programs know; its digest.
        func reduceForCosmian() throws(Failure) -> FixedBytes<32> {
            var hash = RunningHash(.sha256)
            do throws(SystemError) {
                try temporary.clear()
                var fault: SystemError?
                file.snapshot.write(isForCosmian: true) { part in
                    guard fault == nil else { return }
                    hash.update(part, count: part.count)
                    do throws(SystemError) { try temporary.write(part) } catch { fault = error }
                }
                if let fault { throw fault }
            } catch {
                throw Failure(.unusableInput, "--output: \("\(error)".shown)")
            }
            return FixedBytes(hash.finish()) ?? FixedBytes()
        }

        /// Replaces `target`; the other signature there, if any, is of another file and goes.
        func move(to target: String) throws(Failure) {
            do throws(SystemError) {
                let signature = target + ".sig"
                if File.exists(signature) { try File.remove(signature) }
                try temporary.move(to: target)
            } catch {
                throw Failure(.unusableInput, "\(target.shown): \("\(error)".shown)")
            }
        }
    }

    /// Makes one, and leaves it beside `target`; whether the VM proved what the file says is in its report.
    func take(beside target: String) throws(Failure) -> Taken {
        // What cannot be written is better known before minutes of hashing.
        let temporary: TemporaryFile
        do throws(SystemError) {
            temporary = try TemporaryFile(beside: target)
        } catch {
            throw Failure(.unusableInput, "--output: \("\(error)".shown)")
        }
        try judge.admit(client)
        try client.startSnapshot()
        let status = try wait()
        try fetch(into: temporary)
        let file = try SnapshotFile(temporary.path, "the agent's snapshot")
        if let told = status.digest, told != file.digest.hex {
            throw Failure(
                .refused,
                "the agent said a snapshot of SHA-256 \(told.shown), and sent another, "
                    + file.digest.hex)
        }
        let look = RuntimeLook(client: client, judge: judge)
        var outcome = try look.look(
            at: Clock.realtime, against: judge.verifier(of: file.snapshot))
        outcome.further.append(Self.sameFile(outcome.statement, file))
        return Taken(
            file: file, report: VerifyReport(outcome: outcome, snapshot: file),
            temporary: temporary)
    }

    /// Whether the evidence vouches for this very file.
    private static func sameFile(_ statement: RuntimeStatement, _ file: SnapshotFile) -> Finding {
        Finding(
            check: fileCheck, outcome: statement.snapshot == file.digest ? .ok : .refused,
            expected: file.digest.hex, actual: statement.snapshot?.hex ?? "none")
    }

    private func wait() throws(Failure) -> SnapshotStatus {
        var bar = ProgressBar()
        defer { bar.clear() }
        while true {
            let status = try client.snapshot()
            switch status.state {
            case .done: return status
            case .running:
                if showsProgress { bar.show(status) }
                Clock.sleep(milliseconds: Self.pause)
            case .failed:
                throw Failure(
                    .unavailable,
                    "the agent could not make a snapshot: \((status.problem ?? "no reason").shown)")
            case .none:
                throw Failure(
                    .unavailable,
                    "the snapshot is gone: the agent was restarted, or somebody "
                        + "else deleted it", next: "Next: say it again.")
            }
        }
    }

    private func fetch(into file: TemporaryFile) throws(Failure) {
        var fault: SystemError?
        do throws(Failure) {
            _ = try client.snapshotFile { part in
                do throws(SystemError) {
                    try file.write(part)
                    return true
                } catch {
                    fault = error
                    return false
                }
            }
        } catch {
            if let fault { throw Failure(.unusableInput, "--output: \("\(fault)".shown)") }
            throw error
        }
    }
}
