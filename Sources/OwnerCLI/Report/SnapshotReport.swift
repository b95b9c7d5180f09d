import AdminAPI
import Bytes
import Evidence
import Policy
import Verification

/// A snapshot that was made, verified and kept.
struct SnapshotReport {
    let path: String
    let digest: FixedBytes<32>
    let files: Int
    let skipped: Int
    let keyPath: String
    let keyIsNew: Bool
    /// Nil where it was not registered.
    let registered: SnapshotRecord?
    /// Where the agent is, in options.
    let place: String
    let report: VerifyReport

    func print(asJSON: Bool) {
        Output.show(Answer(self), asJSON: asJSON, else: lines(.standard))
    }

    func lines(_ screen: Screen) -> [String] {
        let name = (report.outcome.statement.vm ?? report.outcome.statement.hostName).shown
        let key = keyIsNew ? "\(keyPath.shown), made just now: keep it" : keyPath.shown
        var lines = [
            "Snapshot of \(name): \(files) pairs of a path and a digest, in \(path.shown).", "",
            "  sha256      \(digest.hex)", "  signature   \(path.shown).sig, by \(key)",
            "  evidence    "
                + screen.paint("ok", .good)
                + "; names this file, and \(report.outcome.result.quotedCount ?? 0) entries of the log replay",
        ]
        let unchecked = report.summaries.flatMap(\.unchecked)
        if !unchecked.isEmpty {
            lines.append("  not checked \(unchecked.joined(separator: ", "))")
        }
        if skipped > 0 {
            lines.append("  skipped     \(skipped) files could not be read")
        }
        lines.append(
            "  registered  " + (registered.map { "for \($0.vm.shown)" } ?? "not with a broker"))
        return lines + ["", "Next: `bootgate verify --snapshot \(path.shown) \(place)`."]
    }

    struct Answer: Encodable {
        let path: String
        let digest: String
        let signature: String
        let files: Int
        let skipped: Int
        let registered: SnapshotRecord?
        let verification: RuntimeAnswer

        init(_ report: SnapshotReport) {
            path = report.path
            digest = report.digest.hex
            signature = report.path + ".sig"
            files = report.files
            skipped = report.skipped
            registered = report.registered
            verification = RuntimeAnswer(report.report)
        }
    }
}
