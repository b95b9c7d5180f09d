import ArgumentParser

/// `bootgate-psp tdx`
struct TDXCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tdx",
        abstract: "A simulated TDX machine: quotes, TDREPORTs, the vendor's collateral.",
        subcommands: [
            TDXInitCommand.self, TDXMeasureCommand.self, TDXServeCommand.self,
            TDXCollateralCommand.self,
        ])
}
