import Linux

/// What a command has to say, as a program or a person wants it.
enum Output {
    /// Prints `record` as JSON or, for a person, `lines`.
    static func show(
        _ record: some Encodable, asJSON: Bool, else lines: @autoclosure () -> [String]
    ) {
        for line in asJSON ? [JSONText.pretty(record)] : lines() { Console.print(line) }
    }
}
