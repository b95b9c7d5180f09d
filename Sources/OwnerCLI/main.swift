import Linux

Process.exit(CommandLineTool.run(Array(CommandLine.arguments.dropFirst())).rawValue)
