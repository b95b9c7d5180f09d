import AdminAPI
import Foundation
import OpenSSL
import Synchronization
import Testing

@testable import OwnerCLI

@Suite("bootgate endorsements")
struct EndorsementTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
    }

    private func put(_ directory: String, ends: Int64) throws {
        let now = Int64(Date().timeIntervalSince1970)
        let list = try CRLIssuer.issue(
            CRLTemplate(
                issuer: .init(commonName: "ARK-Genoa"), thisUpdate: now - 864_000,
                nextUpdate: now + ends, entries: [], signature: .ecdsaSHA256),
            issuerKey: SigningKey.generate(.p256))
        let path = "\(folder.path)/\(directory)/Genoa"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        try Data(list).write(to: URL(fileURLWithPath: path + "/crl.der"))
    }

    private func content(_ file: String) -> Data? {
        FileManager.default.contents(atPath: "\(folder.path)/\(file)")
    }

    @Test("carries a folder to another, and the same folder makes the same bundle")
    func roundTrip() throws {
        try put("there", ends: 864_000)
        let export = try run(["endorsements", "export", "a.tar", "--dir", "there"], in: folder)
        #expect(export.status == 0)
        #expect(export.output.hasPrefix("1 documents written to a.tar"))
        let first = try run(["endorsements", "import", "a.tar", "--dir", "here"], in: folder)
        #expect(first.status == 0)
        #expect(
            first.output == "1 documents added, 0 replaced by newer ones, 0 were there already.\n")
        #expect(content("here/Genoa/crl.der") == content("there/Genoa/crl.der"))
        let second = try run(
            ["endorsements", "import", "a.tar", "--dir", "here", "--json"], in: folder)
        let result = try JSONDecoder().decode(
            EndorsementImport.self, from: Data(second.output.utf8))
        #expect(result == EndorsementImport(kept: ["crl/Genoa"]))
        _ = try run(["endorsements", "export", "b.tar", "--dir", "here"], in: folder)
        #expect(content("a.tar") == content("b.tar"))
    }

    @Test("refuses a bundle that was changed, and changes nothing")
    func corrupted() throws {
        try put("there", ends: 864_000)
        _ = try run(["endorsements", "export", "a.tar", "--dir", "there"], in: folder)
        var bytes = try #require(content("a.tar"))
        bytes[1100] ^= 1
        try bytes.write(to: URL(fileURLWithPath: folder.path + "/a.tar"))
        let ended = try run(["endorsements", "import", "a.tar", "--dir", "here"], in: folder)
        #expect(ended.status == 2)
        #expect(ended.errors.hasPrefix("bootgate: a.tar: "))
        #expect(ended.errors.contains("Nothing was changed."))
        #expect(content("here/Genoa/crl.der") == nil)
    }

    @Test("lists what is there with its age, and says nothing of an empty folder but that")
    func list() throws {
        #expect(
            try run(["endorsements", "list", "--dir", "none"], in: folder).output
                == "Nothing is in none.\n")
        try put("e", ends: 864_000 + 3600)
        let ended = try run(["endorsements", "list", "--dir", "e"], in: folder)
        #expect(ended.status == 0)
        let row = try #require(ended.output.split(separator: "\n").dropFirst().first)
        #expect(
            row.split(separator: "  ").map { $0.trimmingCharacters(in: .whitespaces) } == [
                "crl/Genoa", "good", "10 days ago", "in 10 days", "-",
            ])
    }

    @Test("checks with an exit code: 0 good or ending, 1 outdated or missing")
    func check() throws {
        try put("e", ends: 864_000)
        let good = try run(["endorsements", "check", "--dir", "e"], in: folder)
        #expect(good.status == 0)
        #expect(good.output == "1 documents are good, nothing is missing.\n")
        try put("e", ends: 86_400)
        let ending = try run(["endorsements", "check", "--dir", "e"], in: folder)
        #expect(ending.status == 0)
        #expect(ending.output.contains("ends soon  revocation list of Genoa"))
        try put("e", ends: -7300)
        let old = try run(["endorsements", "check", "--dir", "e"], in: folder)
        #expect(old.status == 1)
        #expect(old.output.contains("outdated  revocation list of Genoa, ends 2 h ago"))
        #expect(old.output.contains("https://kdsintf.amd.com/vcek/v1/Genoa/crl"))
        try Data("crl/Turin \(Int64(Date().timeIntervalSince1970))\n".utf8).write(
            to: URL(fileURLWithPath: folder.path + "/e/wanted"))
        let missing = try run(["endorsements", "check", "--dir", "e", "--json"], in: folder)
        #expect(missing.status == 1)
        let result = try JSONDecoder().decode(
            EndorsementList.self, from: Data(missing.output.utf8))
        #expect(result.documents.map(\.state) == [.outdated, .missing])
    }

    @Test("talks to the broker unless a folder is named")
    func broker() throws {
        let broker = try StubBroker(in: folder)
        defer { broker.stop() }
        _ = try run(["--socket", broker.socket, "endorsements", "list"], in: folder)
        try put("e", ends: 864_000)
        _ = try run(["endorsements", "export", "a.tar", "--dir", "e"], in: folder)
        _ = try run(["--socket", broker.socket, "endorsements", "import", "a.tar"], in: folder)
        _ = try run(["--socket", broker.socket, "endorsements", "export", "b.tar"], in: folder)
        #expect(
            broker.state.withLock { $0.requests } == [
                "GET /v1/endorsements", "PUT /v1/endorsements/bundle",
                "GET /v1/endorsements/bundle",
            ])
    }
}
