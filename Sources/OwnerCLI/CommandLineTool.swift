import ArgumentParser
import Bytes
import Linux
import OpenSSL

/// Runs one command line. A thrown error must not look like a verdict, hence our own exit codes.
enum CommandLineTool {
    static func run(_ arguments: [String]) -> ExitStatus {
        // OpenSSL takes its allocator before its first allocation only.
        guard OpenSSLLibrary.useSecretHeap() else {
            Console.printError("bootgate: OpenSSL does not take a wiping allocator")
            return .internal
        }
        let arguments = movingGlobalOptions(arguments)
        do {
            var command = try Bootgate.parseAsRoot(arguments)
            guard var ours = command as? any OwnerCommand else {
                try command.run()
                return .success
            }
            return try ours.execute()
        } catch let failure as Failure {
            return report(failure, asJSON: arguments.contains("--json"))
        } catch {
            return report(error)
        }
    }

    /// Options of all commands may stand before the command too, and those that `cosmian_vm` has there;
    /// ArgumentParser wants them after it.
    static func movingGlobalOptions(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var moved: [String] = []
        while let first = rest.first {
            let hasValue = ["--socket=", "--url="].contains { first.hasPrefix($0) }
            if hasValue || first == "--json" || first == "--allow-insecure-tls" {
                moved.append(rest.removeFirst())
            } else if first == "--socket" || first == "--url", rest.count > 1 {
                moved += [rest.removeFirst(), rest.removeFirst()]
            } else {
                break
            }
        }
        let end = rest.firstIndex(of: "--") ?? rest.endIndex
        return Array(rest[..<end]) + moved + Array(rest[end...])
    }

    private static func report(_ failure: Failure, asJSON: Bool) -> ExitStatus {
        if asJSON {
            Console.print(
                JSONText.compact(
                    ErrorBody(
                        error: .init(
                            status: Int(failure.status.rawValue), message: failure.message,
                            next: failure.next))))
        }
        Console.printError("bootgate: \(failure.message)")
        if let next = failure.next { Console.printError(next) }
        return failure.status
    }

    /// What ArgumentParser throws: help and versions are answers, everything else is wrong usage.
    private static func report(_ error: any Error) -> ExitStatus {
        let text = Bootgate.fullMessage(for: error)
        if Bootgate.exitCode(for: error) == .success {
            if !text.isEmpty { Console.print(text) }
            return .success
        }
        Console.printError(text)
        return .usage
    }
}

/// A command of ours: ends with a status instead of by throwing ArgumentParser's errors.
protocol OwnerCommand: ParsableCommand {
    mutating func execute() throws -> ExitStatus
}

private struct ErrorBody: Encodable {
    struct Content: Encodable {
        let status: Int
        let message: String
        let next: String?
    }

    let error: Content
}
