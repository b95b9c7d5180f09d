import Bytes
import Evidence
import Foundation
import OpenSSL

// Usage: verify MEASURE DATADIR SECONDS
//
// Does MEASURE over and over for SECONDS of CPU time of its one thread and prints the microseconds of
// one, without words. DATADIR holds real evidence: for SNP under the names that the limit program reads,
// for TDX it is the folder with index.json. Exit codes: 0, 64 for usage, 70 where the evidence is not found genuine: a refusal must not count as fast.

/// One thing that is measured: makes its inputs once, then does one round at each call.
typealias Measure = (_ data: String) throws -> () -> Bool

let measures: [String: Measure] = [
    "snp-full": SNPMeasures.full,
    "snp-cached": SNPMeasures.cached,
    "tdx-full": TDXMeasures.full,
    "tdx-chain": TDXMeasures.chain,
    "tdx-cached": TDXMeasures.cached,
]

func fail(_ message: String, _ code: Int32) -> Never {
    FileHandle.standardError.write(Data("verify: \(message)\n".utf8))
    exit(code)
}

let arguments = CommandLine.arguments
guard arguments.count == 4, let measure = measures[arguments[1]], let seconds = Double(arguments[3])
else { fail("usage: verify \(measures.keys.sorted().joined(separator: "|")) DATADIR SECONDS", 64) }

func cpuSeconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

let round: () -> Bool
do {
    round = try measure(arguments[2])
} catch {
    fail("\(error)", 70)
}
guard round() else { fail("the evidence is refused", 70) }
var rounds = 0
let start = cpuSeconds()
var spent = 0.0
repeat {
    for _ in 0..<20 where !round() { fail("the evidence is refused", 70) }
    rounds += 20
    spent = cpuSeconds() - start
} while spent < seconds
print(spent / Double(rounds) * 1e6)
