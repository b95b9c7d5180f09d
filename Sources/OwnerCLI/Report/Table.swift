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
            let cells = row.enumerated().map { column, cell in
                // The last column is not padded, so that no line ends in spaces.
                let isLast = column == row.count - 1
                let padding =
                    isLast
                    ? ""
                    : String(
                        repeating: " ", count: widths[column] - cell.text.count)
                return screen.paint(cell.text, cell.tone) + padding
            }
            return cells.joined(separator: "  ")
        }
    }
}
