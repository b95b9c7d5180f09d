import Linux

Process.exit(VectorRunner.run(Array(CommandLine.arguments.dropFirst())).rawValue)
