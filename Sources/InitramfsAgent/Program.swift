import Linux
import OpenSSL
import Protocol

/// The program: arguments in, exit status out.
enum Program {
    static let version = "bootgate-initramfs 0.1.0"

    static func run(_ arguments: [String]) -> Int32 {
        let command: Command
        do throws(UsageError) {
            command = try Command(arguments: arguments)
        } catch {
            Console.printError("bootgate-initramfs: \(error)\n\(Command.usage)")
            return 64
        }
        switch command {
        case .help:
            Console.print(Command.usage)
            return 0
        case .version:
            Console.print(version)
            return 0
        case .checkRoot(let options):
            return CheckRoot.run(options)
        case .launch(let options):
            return launch(options)
        }
    }

    private static func launch(_ options: LaunchOptions) -> Int32 {
        // Before OpenSSL's first allocation, and before the first secret.
        guard OpenSSLLibrary.useSecretHeap() else {
            return finish(
                .stopped(.internalError, "OpenSSL does not take the wiping allocator"),
                Launch(options))
        }
        do throws(SystemError) {
            try hardenProcess()
        } catch {
            return finish(.stopped(.internalError, error.description), Launch(options))
        }
        var launch = Launch(options)
        return finish(launch.run(), launch)
    }

    /// Says how it ended and does what gate.conf wants done then; in a rehearsal only says it.
    private static func finish(_ ending: Ending, _ launch: Launch) -> Int32 {
        if let path = launch.options.jsonReport {
            let json = launch.report.json(ending, peakResidentKiB: Process.peakResidentKiB)
            do throws(SystemError) {
                try File.writeAtomically(path, Array(json.utf8), mode: 0o644)
            } catch {
                launch.speaker.say("\(error)")
            }
        }
        guard launch.options.activates, let action = ending.action(launch.config) else {
            let took = ending == .opened ? " \(launch.report.summary)" : ""
            launch.speaker.say(ending.line + took)
            return ending.exitStatus
        }
        launch.speaker.say("\(ending.line). \(action.words).")
        do throws(SystemError) {
            switch action {
            case .reboot: try Machine.reboot()
            // `retry` is over where it does not come to an end by itself.
            case .poweroff, .retry: try Machine.powerOff()
            }
        } catch {
            // The unit's FailureAction takes over on our exit status.
            launch.speaker.say("\(error)")
        }
        return ending.exitStatus
    }
}
