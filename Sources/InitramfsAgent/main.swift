import Linux

Process.exit(Program.run(Array(CommandLine.arguments.dropFirst())))
