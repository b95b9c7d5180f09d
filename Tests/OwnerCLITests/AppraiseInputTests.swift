import Bytes
import Evidence
import Foundation
import OpenSSL
import TestSupport
import Testing

@testable import OwnerCLI

private func vector(_ name: String) -> String {
    VectorAppraisal.ownFolder.appendingPathComponent(name).path
}

private let pcrs = vector("tpm/tpm-ecdsa/pcrs.json")
private let zeroPCR10 = "sha256:" + String(repeating: "00", count: 32)

/// Each subcommand with `input` as its evidence.
private func commands(_ input: String) -> [[String]] {
    [
        ["snp", "--report", input], ["tdx", "--quote", input],
        ["azure", "--tpm-quote", input, "--tpm-signature", input, "--hcl-report", input],
        [
            "tpm-quote", "--key", vector("tpm/ecdsa.spki.der"), "--signature", input, "--quote",
            input,
        ],
        ["ima", "--pcr10", zeroPCR10, "--log", input],
        ["eventlog", "--registers", pcrs, "--log", input],
    ].map { ["appraise"] + $0 }
}

@Test(
    "a file that is no evidence at all, and one that is not there, cannot be used",
    arguments: ["", "text", "zeros", "missing"])
func noEvidence(kind: String) throws {
    let folder = try TestFolder()
    let path = folder.path + "/input"
    let contents: [String: Data] = [
        "": Data(), "text": Data(repeating: 0x41, count: 5000), "zeros": Data(count: 5000),
    ]
    try contents[kind]?.write(to: URL(fileURLWithPath: path))
    for command in commands(path) where kind != "zeros" || command[1] != "eventlog" {
        let ended = try run(command + ["--json"], in: folder)
        #expect(ended.status == 2, "\(command[1]): \(ended.output)\(ended.errors)")
        #expect(ended.errors.hasPrefix("bootgate: --"))
        #expect(ended.output.contains("\"status\":2"))
    }
}

@Test("100 MB end in a named error in bounded time")
func largeEvidence() throws {
    let folder = try TestFolder()
    let path = folder.path + "/large"
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: 100 << 20)
    try file.close()
    for command in commands(path) {
        let start = ContinuousClock.now
        let ended = try run(command, in: folder)
        #expect(ended.status == 2, "\(command[1])")
        #expect(ended.errors.contains("--"))
        #expect(ContinuousClock.now - start < .seconds(120), "\(command[1])")
    }
}

@Test(
    "wrong digits, names and combinations are told apart from refusals",
    arguments: [
        (["snp", "--report", "x", "--report-data", "00"], 2),
        (["tdx", "--quote", "x", "--root", "y"], 2),
        (["ima", "--log", "x", "--pcr10", "sha256:00"], 2),
        (["ima", "--log", "x", "--pcr10", "md5:00"], 2),
        (["ima", "--log", "x"], 64),
        (["snp", "--report", "x", "--at", "yesterday"], 64),
        (["snp", "--report", "x", "--tpm-quote", "y"], 64),
        (["snp", "--report", "x", "--event-log", "y"], 64),
        (["snp", "--report", "x", "--svsm-manifest", "y"], 64),
        (["azure", "--hcl-report", "x"], 64),
        (
            [
                "azure", "--hcl-report", "x", "--tpm-quote", "x", "--tpm-signature", "x", "--vcek",
                "v",
                "--td-quote", "t",
            ], 64
        ),
        (["eventlog", "--log", "x"], 64),
        ([], 64),
    ] as [([String], Int32)])
func wrongUse(arguments: [String], status: Int32) throws {
    let ended = try run(["appraise"] + arguments, in: TestFolder())
    if arguments.isEmpty {
        #expect(ended.output.contains("tpm-quote") || ended.errors.contains("tpm-quote"))
    } else {
        #expect(ended.status == status, "\(ended.errors)")
    }
}

@Test("an IMA log is held against the register, a policy, its signature and the keys of files")
func imaLogs() throws {
    let folder = try TestFolder()
    let hashing = OpenSSLHashing()
    let hash = { (bytes: [UInt8]) in hashing.digest(.sha256, bytes) }
    let (a, b) = (hash([1]), hash([2]))
    let log = IMALogBuilder([.init("/bin/a", sha256: a), .init("/bin/b", sha256: b)])
    let text = log.text { hashing.digest(.sha1, $0) }
    try Data(text).write(to: URL(fileURLWithPath: folder.path + "/log"))
    let value = log.entries.reduce([UInt8](repeating: 0, count: 32)) { hash($0 + hash($1.data)) }
    let command = ["appraise", "ima", "--log", "log", "--pcr10", "sha256:\(Hex.encode(value))"]
    let plain = try run(command + ["--json"], in: folder)
    #expect(plain.status == 0, "\(plain.output)\(plain.errors)")
    #expect(plain.output.contains("\"quoted_entries\" : 2"))

    try "\(Hex.encode(a))  /bin/a\n\(Hex.encode(b))  /bin/b\n".write(
        toFile: folder.path + "/policy", atomically: true, encoding: .utf8)
    let policed = command + ["--runtime-policy", "policy", "--forbid-violations"]
    #expect(try run(policed, in: folder).status == 0)
    try "\(Hex.encode(a))  /bin/a\n".write(
        toFile: folder.path + "/policy", atomically: true, encoding: .utf8)
    let refused = try run(policed + ["--json"], in: folder)
    #expect(refused.status == 1)
    #expect(refused.output.contains("\"path\" : \"/bin/b\""))

    let key = ["--key", vector("tpm/ecdsa.spki.der")]
    #expect(try run(command + key, in: folder).status == 0)
    #expect(try run(command + key + ["--signatures", "required"], in: folder).status == 1)
    let unsigned = policed + ["--policy-key", vector("tpm/ecdsa.spki.der")]
    #expect(try run(unsigned, in: folder).output.contains("policy signature"))
    #expect(try run(unsigned, in: folder).status == 1)
}

@Test("an event log is replayed to given registers, a TD's by its own numbers")
func eventLogs() throws {
    let folder = try TestFolder()
    let bytes = try TestFiles.bytes(
        VectorAppraisal.ownFolder.appendingPathComponent("eventlog/ccel.bin"))
    let replayed = try EventLog(parsing: bytes, from: .confidentialComputing)
        .replay(OpenSSLHashing())
    var registers = replayed.banks[.sha384] ?? [:]
    func write() throws {
        let members = registers.map { "\"\($0.key)\": \"\(Hex.encode($0.value))\"" }
        try "{\"sha384\": {\(members.joined(separator: ", "))}}".write(
            toFile: folder.path + "/rtmrs.json", atomically: true, encoding: .utf8)
    }
    try write()
    let command = [
        "appraise", "eventlog", "--ccel", "--log", vector("eventlog/ccel.bin"), "--registers",
        "rtmrs.json", "--json",
    ]
    let good = try run(command, in: folder)
    #expect(good.status == 0, "\(good.output)\(good.errors)")
    #expect(good.output.contains("\"launch_class\" : null"))
    registers[1]?[0] ^= 1
    try write()
    #expect(try run(command, in: folder).status == 1)
}
