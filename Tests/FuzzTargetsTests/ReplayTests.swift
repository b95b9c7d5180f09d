import Foundation
import FuzzTargets
import Testing

@Suite struct ReplayTests {
    @Test("survives its seeds and all that fuzzing ever found", arguments: FuzzTarget.allCases)
    func replay(target: FuzzTarget) throws {
        var inputs = target.seeds
        for folder in ["Seeds", "FailCases"] {
            inputs += try files(in: "\(folder)/\(target.rawValue)")
        }
        try #require(!inputs.isEmpty, "\(target.rawValue) has nothing to start from")
        for input in inputs {
            target.run(input)
            target.run(Array(input.dropLast()))
            target.run(input + [0])
        }
    }

    @Test("keeps cases only for targets that exist")
    func folders() throws {
        let known = Set(FuzzTarget.allCases.map(\.rawValue)).union(["README.md"])
        for folder in ["Seeds", "FailCases"] {
            let names = try FileManager.default.contentsOfDirectory(atPath: path(folder))
            #expect(known.isSuperset(of: names))
        }
    }

    private func files(in folder: String) throws -> [[UInt8]] {
        guard FileManager.default.fileExists(atPath: path(folder)) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted().map {
            Array(try Data(contentsOf: URL(filePath: path("\(folder)/\($0)"))))
        }
    }

    private func path(_ name: String) -> String {
        let package = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return package.appending(path: "fuzz/\(name)").path
    }
}
