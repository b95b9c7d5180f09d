import ArgumentParser
import Bytes
import Linux

/// `bootgate-psp vectors`
struct VectorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vectors",
        abstract: "Write evidence of every kind with the verdicts that it deserves.",
        discussion: """
            Fills a folder for `bootgate-vectors`: evidence under roots made here, each named by the \
            cases as their only trust anchor. Whatever is no key and no signature is made from \
            --seed, and the clock is --time, so that two runs differ in keys and signatures only.

            EXAMPLE
              bootgate-psp vectors --dir Tests/Vectors
            """)

    @Option(
        help: ArgumentHelp("The folder to fill; must not have an index yet.", valueName: "folder"))
    var dir: String

    @Option(help: ArgumentHelp("What values are made from.", valueName: "text"))
    var seed: String = "bootgate vectors"

    @Option(help: ArgumentHelp("The day around which all is valid.", valueName: "time"))
    var time: String = "2026-11-21T00:00:00Z"

    func validate() throws {
        guard ISO8601.time(time) != nil else {
            throw ValidationError("--time: expected a time such as 2026-11-21T00:00:00Z")
        }
    }

    func run() throws {
        guard !File.exists("\(dir)/index.json") else {
            throw PSPFault.unusable("\(dir)/index.json exists; expected a folder without an index")
        }
        let now = ISO8601.time(time) ?? 0
        let set = try Self.vectors(seed: seed, vendor: try SNPVendor(now: now))
        try set.write(to: dir)
        let cases = set.entries.reduce(0) { $0 + $1.cases.count }
        print("\(set.entries.count) entries with \(cases) cases in \(dir)")
    }

    /// All of them, around the day on which `vendor` was made.
    static func vectors(seed: String, vendor: SNPVendor) throws -> VectorSet {
        let seed = VectorSeed(seed: Array(seed.utf8))
        let now = vendor.now
        var set = VectorSet()
        try SNPVectors(vendor: vendor, seed: seed, now: now).add(to: &set)
        let tdx = try TDXVectors(seed: seed, now: now)
        try tdx.add(to: &set)
        try AzureVectors(vendor: vendor, tdx: tdx, seed: seed, now: now).add(to: &set)
        try TPMVectors(vendor: vendor, seed: seed).add(to: &set)
        LogVectors(seed: seed).add(to: &set)
        return set
    }
}
