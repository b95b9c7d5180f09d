import Bytes
import Evidence
import Foundation
import OpenSSL

// Usage: verify MEASURE DATA SECONDS
//        verify ima-memory DATA TABLE
//
// Does MEASURE over and over for SECONDS of CPU time of its one thread and prints the microseconds of
// one, without words; `ima-memory` does it once and prints the most MiB that were resident. DATA is real
// evidence: for SNP a folder with the names that the limit program reads, for TDX the folder with
// index.json; for IMA it is what the names of a log's files have in common, and so is TABLE. Exit codes: 0,
// 64 for usage, 70 where the evidence is not found genuine: a refusal must not count as fast.

/// One thing that is measured: makes its inputs once, then does one round at each call.
typealias Measure = (_ data: String) throws -> () -> Bool

let measures: [String: Measure] = [
    "snp-full": SNPMeasures.full,
    "snp-cached": SNPMeasures.cached,
    "tdx-full": TDXMeasures.full,
    "tdx-chain": TDXMeasures.chain,
    "tdx-cached": TDXMeasures.cached,
    "ima-full": IMAMeasures.full,
    "ima-increment": IMAMeasures.increment,
]

func fail(_ message: String, _ code: Int32) -> Never {
    FileHandle.standardError.write(Data("verify: \(message)\n".utf8))
    exit(code)
}

let arguments = CommandLine.arguments
if arguments.count == 4, arguments[1] == "ima-memory" {
    do {
        print(try IMAMeasures.peakMemory(arguments[2], table: arguments[3]))
        exit(0)
    } catch {
        fail("\(error)", 70)
    }
}
guard arguments.count == 4, let measure = measures[arguments[1]], let seconds = Double(arguments[3])
else { fail("usage: verify \(measures.keys.sorted().joined(separator: "|")) DATA SECONDS", 64) }

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
    guard round() else { fail("the evidence is refused", 70) }
    rounds += 1
    spent = cpuSeconds() - start
} while spent < seconds
print(spent / Double(rounds) * 1e6)
