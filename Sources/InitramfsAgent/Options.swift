/// What the command line asks for.
enum Command: Equatable {
    case launch(LaunchOptions)
    case checkRoot(CheckRootOptions)
    case version
    case help
}

/// How one launch is to be done. All but `console` are for rehearsals outside of a VM.
struct LaunchOptions: Equatable {
    /// Where the kernel's report interface is.
    var tsm: String?
    /// Files to take gate.conf from, instead of the usual places.
    var configs: [String] = []
    /// The disk, instead of searching for its UUID.
    var device: String?
    /// Off: the keyslot is opened and proved, nothing is mapped, and the machine is left alone.
    var activates = true
    /// Where to write result and timings.
    var jsonReport: String?
    /// A terminal that gets the lines for a person as well.
    var console: String?
}

/// How the mounted root is to be checked.
struct CheckRootOptions: Equatable {
    var console: String?
}

/// A command line that means nothing.
struct UsageError: Error, Equatable, CustomStringConvertible {
    let description: String
}

extension Command {
    static let usage = """
        usage: bootgate-initramfs launch [--console TTY] [REHEARSAL...]
               bootgate-initramfs check-root [--console TTY]
               bootgate-initramfs --version | --help

        launch proves to the owner's broker what is booting here and opens the root disk.
        check-root tells whether /sysroot is the volume that was opened.

        For a rehearsal outside of a VM:
          --tsm DIR           report interface, instead of /sys/kernel/config/tsm/report
          --config FILE       gate.conf, instead of the usual places; may be repeated
          --device FILE       LUKS2 disk or image, instead of searching for its UUID
          --no-activate       open the keyslot and prove it, but map nothing
          --json-report FILE  result and milliseconds of each step

        exit status: 0 opened, 1 refused or not opened, 2 unusable input, 64 usage,
                     69 no broker or no secure processor, 70 internal error
        """

    /// Reads the arguments that follow the program's name.
    init(arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        guard let verb = rest.popFirst() else { throw UsageError(description: "no command") }
        switch verb {
        case "launch": self = .launch(try Self.launch(&rest))
        case "check-root":
            var options = CheckRootOptions()
            while let flag = rest.popFirst() {
                guard flag == "--console" else { throw Self.unknown(flag) }
                options.console = try Self.value(of: flag, &rest)
            }
            self = .checkRoot(options)
        case "--version": self = .version
        case "--help", "-h": self = .help
        default: throw UsageError(description: "unknown command `\(verb)`")
        }
        guard rest.isEmpty else {
            throw UsageError(description: "\(verb) takes no arguments")
        }
    }

    private static func launch(
        _ rest: inout ArraySlice<String>
    ) throws(UsageError) -> LaunchOptions {
        var options = LaunchOptions()
        while let flag = rest.popFirst() {
            switch flag {
            case "--tsm": options.tsm = try value(of: flag, &rest)
            case "--config": options.configs.append(try value(of: flag, &rest))
            case "--device": options.device = try value(of: flag, &rest)
            case "--no-activate": options.activates = false
            case "--json-report": options.jsonReport = try value(of: flag, &rest)
            case "--console": options.console = try value(of: flag, &rest)
            default: throw unknown(flag)
            }
        }
        return options
    }

    private static func value(
        of flag: String, _ rest: inout ArraySlice<String>
    ) throws(UsageError) -> String {
        guard let value = rest.popFirst(), !value.isEmpty else {
            throw UsageError(description: "\(flag) needs a value")
        }
        return value
    }

    private static func unknown(_ flag: String) -> UsageError {
        UsageError(description: "unknown option `\(flag)`")
    }
}
