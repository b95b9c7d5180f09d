import Bytes
import Linux
public import Logging

/// Writes each event as one line of `key=value` pairs to standard error.
///
/// Values that hold anything but plain characters are quoted, so that text of a peer can neither end a
/// line nor look like another key.
public struct LineLog: LogHandler {
    /// What every line says.
    public var metadata: Logger.Metadata = [:]
    /// The least that is written.
    public var logLevel: Logger.Level

    /// A log of `logLevel` and above.
    public init(logLevel: Logger.Level) {
        self.logLevel = logLevel
    }

    /// One value that every line says.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes the line.
    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        var line = "time=\(ISO8601.text(Clock.realtime)) level=\(event.level)"
        line += " event=\(Self.value("\(event.message)"))"
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            let text = "\(value)"
            if !text.isEmpty { line += " \(key)=\(Self.value(text))" }
        }
        Console.printError(line)
    }

    private static func value(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return isPlain ? text : text.debugDescription
    }
}
