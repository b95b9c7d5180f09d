import Linux

/// What `--json-report` writes: result and milliseconds of each step, nothing secret.
struct LaunchReport {
    private var steps: [(name: String, nanoseconds: UInt64)] = []
    private let started: UInt64
    private var last: UInt64
    var vm: String?
    var broker: String?
    var reference: String?

    init(now: UInt64) {
        started = now
        last = now
    }

    /// Books the time since the last step under `step`; a step that comes again adds up.
    mutating func finished(_ step: String, at now: UInt64) {
        let spent = now - last
        last = now
        if let index = steps.firstIndex(where: { $0.name == step }) {
            steps[index].nanoseconds += spent
        } else {
            steps.append((step, spent))
        }
    }

    /// What the launch took, the waiting for network and broker apart; such as `in 412 ms, and 1020 ms
    /// for the network`.
    var summary: String {
        let waiting = steps.filter { ["network", "connect"].contains($0.name) }
            .reduce(0) { $0 + $1.nanoseconds }
        let own = last - started - waiting
        return "in \(own / 1_000_000) ms, and \(waiting / 1_000_000) ms for the network"
    }

    /// The whole report as one JSON object.
    func json(_ ending: Ending, peakResidentKiB: Int) -> String {
        var members = ["\"result\": \(Self.quoted(ending.word))"]
        for (name, value) in [("vm", vm), ("broker", broker), ("reference", reference)] {
            if let value { members.append("\"\(name)\": \(Self.quoted(value))") }
        }
        if ending != .opened { members.append("\"message\": \(Self.quoted(ending.line))") }
        var times = steps.map { "\"\($0.name)\": \(Self.milliseconds($0.nanoseconds))" }
        times.append("\"total\": \(Self.milliseconds(last - started))")
        members.append("\"milliseconds\": {\(times.joined(separator: ", "))}")
        members.append("\"peak_resident_kib\": \(peakResidentKiB)")
        return "{\(members.joined(separator: ", "))}\n"
    }

    /// Milliseconds with three digits behind the point; no Foundation here.
    private static func milliseconds(_ nanoseconds: UInt64) -> String {
        let micro = nanoseconds / 1000
        let digits = "\(micro % 1000)"
        return "\(micro / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
