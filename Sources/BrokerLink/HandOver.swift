public import Bytes
public import Linux
import OpenSSL
public import Protocol

/// What the launch leaves below `/run/bootgate` for the programs of the booted system. Nothing secret.
public enum HandOver {
    /// The directory, readable by root alone.
    public static let directory = "/run/bootgate"
    /// The attested `gate.conf`, byte for byte.
    public static let config = "\(directory)/gate.conf"
    /// The proof of unlock that no broker has heard of yet.
    public static let outcome = "\(directory)/outcome"

    /// Leaves `config` at `path`, so that the runtime agent reports by the same pins to the same brokers.
    public static func leave(
        config bytes: [UInt8], at path: String = config
    ) throws(SystemError) {
        try leave(bytes, at: path)
    }

    /// The configuration that was left at `path`; nil where this machine was not booted by the gate.
    public static func config(
        at path: String = config
    ) throws(HandOverError) -> AttestedConfig? {
        guard let bytes = try read(path, atMost: GateConfig.maximumLength) else { return nil }
        do throws(GateConfigError) {
            return AttestedConfig(
                config: try GateConfig(parsing: bytes), digest: OpenSSLHashing().sha256(bytes))
        } catch {
            throw .config(path: path, error)
        }
    }

    /// The proof that was left at `path`; nil where there is none.
    public static func outcome(
        at path: String = outcome
    ) throws(HandOverError) -> LateOutcome? {
        guard let bytes = try read(path, atMost: 1024) else { return nil }
        guard let late = LateOutcome(text: String(decoding: bytes, as: UTF8.self)) else {
            throw .outcome(path: path)
        }
        return late
    }

    private static func read(_ path: String, atMost limit: Int) throws(HandOverError) -> [UInt8]? {
        do throws(SystemError) {
            return try File.read(path, atMost: limit)
        } catch {
            if error.isNotFound { return nil }
            throw .system(error)
        }
    }

    /// Leaves a proof that could not be delivered.
    public static func leave(
        _ late: LateOutcome, at path: String = outcome
    ) throws(SystemError) {
        try leave(Array(late.text.utf8), at: path)
    }

    private static func leave(_ bytes: [UInt8], at path: String) throws(SystemError) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try File.makeDirectories(parent, mode: 0o700)
        try File.writeAtomically(path, bytes)
    }
}

/// Why what a launch has left is of no use.
public enum HandOverError: Error, Equatable, Sendable, CustomStringConvertible {
    /// It cannot be read.
    case system(SystemError)
    /// It is no gate.conf.
    case config(path: String, GateConfigError)
    /// It is no proof of unlock.
    case outcome(path: String)

    /// One line: which file, and what is wrong.
    public var description: String {
        switch self {
        case .system(let error): error.description
        case .config(let path, let error): "\(path): \(error)"
        case .outcome(let path): "\(path): expected the lines launch= and proof="
        }
    }
}

/// The configuration that this machine was launched with.
public struct AttestedConfig: Equatable, Sendable {
    /// What it says.
    public let config: GateConfig
    /// SHA-256 of the file: the config digest.
    public let digest: FixedBytes<32>
}

extension LateOutcome {
    /// Two lines: `launch=` and `proof=`, each with its hexadecimal digits.
    public var text: String { "launch=\(launchID)\nproof=\(proof)\n" }

    /// Reads ``text``; nil for anything else.
    public init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 3, lines[2].isEmpty, lines[0].hasPrefix("launch="),
            lines[1].hasPrefix("proof="),
            let launchID = FixedBytes<16>(hex: String(lines[0].dropFirst(7))),
            let proof = FixedBytes<32>(hex: String(lines[1].dropFirst(6)))
        else { return nil }
        self.init(launchID: launchID, proof: proof)
    }
}
