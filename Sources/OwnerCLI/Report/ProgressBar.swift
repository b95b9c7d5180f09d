import AgentAPI
import Linux

/// A line on a terminal that says how far something is; nothing where standard error is none.
struct ProgressBar {
    /// Whatever is done sooner needs no bar.
    private static let delay: UInt64 = 2000
    private static let width = 24

    private let start = Clock.monotonicMilliseconds
    private let isShown = Terminal.isTerminal(2)
    private var hasDrawn = false

    mutating func show(_ status: SnapshotStatus) {
        let spent = Clock.monotonicMilliseconds - start
        guard isShown, spent >= Self.delay else { return }
        hasDrawn = true
        Console.replaceErrorLine(Self.line(status, milliseconds: spent))
    }

    /// Takes the line away.
    func clear() {
        if hasDrawn { Console.replaceErrorLine("") }
    }

    static func line(_ status: SnapshotStatus, milliseconds: UInt64) -> String {
        let seconds = "\(milliseconds / 1000) s"
        let size = Self.size(status.bytes)
        guard let expected = status.expectedFiles, expected > 0 else {
            return "\(status.files) files, \(size), \(seconds)"
        }
        // An estimate may be too low; a bar never says that it is done before it is.
        let part = min(99, status.files * 100 / expected)
        let filled = part * width / 100
        let bar =
            String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        return "[\(bar)] \(part) %  \(status.files) of about \(expected) files, \(size), \(seconds)"
    }

    /// In the unit that leaves three digits before the point at most.
    static func size(_ bytes: Int64) -> String {
        var value = bytes * 10
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 10_000 {
                return unit == "B" ? "\(bytes) B" : "\(value / 10).\(value % 10) \(unit)"
            }
            value /= 1000
        }
        return "\(value / 10).\(value % 10) TB"
    }
}
