import ArgumentParser
import Bytes
import OpenSSL

/// `bootgate-psp measure`
struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Compute the launch digest.",
        discussion: """
            Prints the MEASUREMENT that `serve` puts into reports of the same launch: SNP's own \
            chain over firmware, kernel hashes and first register states.

            EXAMPLE
              bootgate-psp measure --firmware X.fd --vcpus 2 --kernel vmlinuz \\
                --initrd initrd.img --append 'console=ttyS0'
            """)

    @OptionGroup var launch: LaunchOptions

    @Flag(help: "Print one line of JSON, with the measured hashes.")
    var json = false

    func run() throws {
        let inputs = try launch.inputs()
        let hashing = OpenSSLHashing()
        let measurement = try inputs.measurement(hashing: hashing).hex
        guard json else {
            print(measurement)
            return
        }
        let parts = (inputs.boot?.hashes(hashing) ?? []).map {
            ($0.label, JSONText.Value.string($0.hash.hex))
        }
        print(JSONText.object([("measurement", .string(measurement)), ("parts", .object(parts))]))
    }
}
