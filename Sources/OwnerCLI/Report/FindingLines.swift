import Policy

/// Checks for people: what held in one line each, what did not with both values.
struct FindingLines {
    let findings: [Finding]

    func lines(_ screen: Screen) -> [String] {
        let width = max(18, (findings.map(\.check.count).max() ?? 0) + 1)
        return findings.flatMap { lines($0, width: width, screen) }
    }

    private func lines(_ finding: Finding, width: Int, _ screen: Screen) -> [String] {
        let (word, tone): (String, Screen.Tone) =
            switch finding.outcome {
            case .ok: ("ok", .good)
            case .refused: ("REFUSED", .bad)
            case .notChecked: ("not checked", .doubtful)
            }
        let start =
            "  \(finding.check.shown.padded(to: width)) "
            + screen.paint(word, tone) + String(repeating: " ", count: max(1, 13 - word.count))
        let indent = String(repeating: " ", count: width + 16)
        switch finding.outcome {
        case .ok:
            let value = finding.actual.isEmpty ? finding.expected : finding.actual
            return [start + Self.shortened(value.shown)]
        case .notChecked:
            let reason = [finding.note, finding.actual, finding.expected].compactMap { $0 }
            return [start + (reason.first { !$0.isEmpty } ?? "").shown]
        case .refused:
            return [
                start + "got       \(finding.actual.shown)",
                indent + "expected  \(finding.expected.shown)",
            ]
        }
    }

    /// Digests that hold are shown by their ends; `--json` and refusals have them whole.
    static func shortened(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            word.utf8.count >= 40 && word.allSatisfy(\.isHexDigit)
                ? "\(word.prefix(8))..\(word.suffix(4))" : String(word)
        }.joined(separator: " ")
    }
}
