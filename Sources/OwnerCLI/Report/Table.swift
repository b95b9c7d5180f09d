/// Rows under headings, each column as wide as its widest cell.
struct Table {
    struct Cell {
        let text: String
        let tone: Screen.Tone?

        init(_ text: String, _ tone: Screen.Tone? = nil) {
            self.text = text.shown
            self.tone = tone
        }
    }

    let headings: [String]
    var rows: [[Cell]] = []

    init(_ headings: [String]) {
        self.headings = headings
    }

    func lines(_ screen: Screen) -> [String] {
        let titles = headings.map { Cell($0, .quiet) }
        let widths = headings.indices.map { column in
            ([titles] + rows).map { column < $0.count ? $0[column].text.count : 0 }.max() ?? 0
        }
        return ([titles] + rows).map { row in
            // Nothing is padded at the end, so that no line ends in spaces.
            let last = row.lastIndex { !$0.text.isEmpty } ?? 0
            let cells = row.prefix(last + 1).enumerated().map { column, cell in
                let padding = column == last ? 0 : widths[column] - cell.text.count
                return screen.paint(cell.text, cell.tone) + String(repeating: " ", count: padding)
            }
            return cells.joined(separator: "  ")
        }
    }
}
