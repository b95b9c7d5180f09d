import ArgumentParser
import Bytes
import OpenSSL

/// `bootgate-psp measure`
struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Predict the simulated launch digest.",
        discussion: """
            Prints the MEASUREMENT that `serve` puts into reports of the same launch. The formula \
            is the simulator's own (docs/simulated-psp.md); a real processor gives another value.

            EXAMPLE
              bootgate-psp measure --firmware OVMF.fd --vcpus 2 --kernel vmlinuz \\
                --initrd initrd.img --append 'console=ttyS0'
            """)

    @OptionGroup var launch: LaunchOptions

    @Flag(help: "Print one line of JSON, with the measured parts.")
    var json = false

    func run() throws {
        let inputs = try launch.inputs()
        let hashing = OpenSSLHashing()
        let measurement = inputs.measurement(hashing: hashing).hex
        guard json else {
            print(measurement)
            return
        }
        let parts = inputs.parts(hashing: hashing).map {
            ($0.label, JSONText.Value.string(Hex.encode($0.value)))
        }
        print(JSONText.object([("measurement", .string(measurement)), ("parts", .object(parts))]))
    }
}
