import CLibFuzzer
import FuzzTargets
import Glibc

// BOOTGATE_FUZZ_TARGET names the target; everything on the command line is libFuzzer's.
// With BOOTGATE_FUZZ_SEEDS, the target's seeds are written to that directory and nothing is run.

func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
}

guard let name = environment("BOOTGATE_FUZZ_TARGET"), let chosen = FuzzTarget(rawValue: name) else {
    for target in FuzzTarget.allCases { print(target.rawValue) }
    exit(environment("BOOTGATE_FUZZ_TARGET") == nil ? 0 : 64)
}

if let directory = environment("BOOTGATE_FUZZ_SEEDS") {
    for (index, seed) in chosen.seeds.enumerated() {
        guard let file = unsafe fopen("\(directory)/seed-\(index)", "w") else { exit(70) }
        _ = unsafe fwrite(seed, 1, seed.count, file)
        _ = unsafe fclose(file)
    }
    exit(0)
}

nonisolated(unsafe) var target = chosen

func testOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    unsafe target.run(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}

var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
exit(unsafe LLVMFuzzerRunDriver(&count, &arguments, testOne))
