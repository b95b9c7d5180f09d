import ArgumentParser

/// What the simulated processor, or the host around it, does wrong on order.
enum Fault: Equatable, Hashable, ExpressibleByArgument {
    /// The host has no certificates for its guests.
    case noCertificates
    /// The endorsement key and its chain come from a root that was made a moment ago.
    case wrongRoot
    /// One bit of the signature is wrong.
    case badSignature
    /// Firmware of the lowest versions, properly endorsed as such.
    case lowTCB
    /// The guest policy allows the host to debug the guest.
    case debug
    /// Every answer is also written to a file.
    case record(path: String)
    /// Every answer is the one in a file.
    case replay(path: String)

    init?(argument: String) {
        let sides = argument.split(separator: "=", maxSplits: 1).map(String.init)
        switch (sides.first, sides.dropFirst().first) {
        case ("no-certs", nil): self = .noCertificates
        case ("wrong-root", nil): self = .wrongRoot
        case ("bad-signature", nil): self = .badSignature
        case ("low-tcb", nil): self = .lowTCB
        case ("debug", nil): self = .debug
        case ("record", let path?): self = .record(path: path)
        case ("replay", let path?): self = .replay(path: path)
        default: return nil
        }
    }

    /// As it is written on the command line.
    var name: String {
        switch self {
        case .noCertificates: "no-certs"
        case .wrongRoot: "wrong-root"
        case .badSignature: "bad-signature"
        case .lowTCB: "low-tcb"
        case .debug: "debug"
        case .record(let path): "record=\(path)"
        case .replay(let path): "replay=\(path)"
        }
    }

    static let help = """
        What goes wrong, once for each: no-certs, wrong-root, bad-signature, low-tcb, debug, \
        record=FILE, replay=FILE.
        """
}
