import Linux
import OpenSSL

// First of all: OpenSSL takes its allocator only before its first allocation.
guard OpenSSLLibrary.useSecretHeap() else {
    Console.printError("bootgate-agent: OpenSSL cannot be given a wiping heap")
    Process.exit(70)
}
Process.exit(await AgentCommand.run(Array(CommandLine.arguments.dropFirst())))
