import BrokerLink
import Linux

/// What the launch leaves for the check of the mounted root, below `/run/bootgate`. Nothing secret.
struct RootState: Equatable {
    private static let path = "\(HandOver.directory)/state"

    /// The name of the device-mapper node that the launch made.
    let name: String
    /// Its numbers.
    let number: DeviceNumber

    /// Such as `name=root`, `device=254:0`.
    var text: String { "name=\(name)\ndevice=\(number)\n" }

    init(name: String, number: DeviceNumber) {
        self.name = name
        self.number = number
    }

    /// Reads ``text``; nil for anything else.
    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 3, lines[2].isEmpty, lines[0].hasPrefix("name="),
            lines[1].hasPrefix("device="), let number = DeviceNumber(String(lines[1].dropFirst(7)))
        else { return nil }
        self.init(name: String(lines[0].dropFirst(5)), number: number)
    }

    func write() throws(SystemError) {
        try File.makeDirectories(HandOver.directory, mode: 0o700)
        try File.writeAtomically(Self.path, Array(text.utf8))
    }

    static func remove() {
        try? File.remove(path)
    }

    static func read() -> RootState? {
        guard let bytes = try? File.read(path, atMost: 1024) else { return nil }
        return RootState(text: String(decoding: bytes, as: UTF8.self))
    }
}
