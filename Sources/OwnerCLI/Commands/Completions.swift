import ArgumentParser
import Linux

/// `bootgate completions`
struct Completions: OwnerCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the completion script of a shell.",
        discussion: """
            Examples:
              bootgate completions bash > /etc/bash_completion.d/bootgate
              bootgate completions zsh > "${fpath[1]}/_bootgate"
              bootgate completions fish > ~/.config/fish/completions/bootgate.fish
            """)

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash
        case zsh
        case fish
    }

    func execute() throws -> ExitStatus {
        let kind: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Console.print(Bootgate.completionScript(for: kind))
        return .success
    }
}
