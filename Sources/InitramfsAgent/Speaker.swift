import Linux

/// Lines for the person who looks at the machine: never a secret, never the broker's finding.
struct Speaker {
    /// Beside standard output, which is the journal.
    let terminal: String?

    func say(_ line: String) {
        let whole = "bootgate: \(line)"
        Console.print(whole)
        if let terminal { Console.print(whole, terminal: terminal) }
    }
}
