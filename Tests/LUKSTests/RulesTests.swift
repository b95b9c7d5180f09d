import Bytes
import Foundation
import Testing

@testable import LUKS

/// A header with a keyslot and a token, and its JSON.
private let sample: (bytes: [UInt8], json: String) = {
    do {
        let file = try VolumeFile().formatted()
        _ = try file.addKeyslot(Array(repeating: 1, count: 32))
        try LUKSVolume(device: file.path)
            .setToken(json: #"{"type":"bootgate","keyslots":["0"],"vm":"web-1","key":"disk"}"#)
        return (try file.bytes, String(decoding: try file.header().jsonText, as: UTF8.self))
    } catch {
        return ([], "")
    }
}()

private func check(_ json: String) throws {
    let header = try LUKS2Header(image: image(from: sample.bytes, json: json), hashing: hashing)
    try LUKS2Rules().check(header)
}

/// The fault after `old` was replaced by `new` in the JSON, which must hold `old`.
private func fault(_ old: String, _ new: String) throws -> LUKS2Fault? {
    try #require(sample.json.contains(old), "\(old) is not in \(sample.json)")
    do {
        try check(sample.json.replacingOccurrences(of: old, with: new))
        return nil
    } catch let fault as LUKS2Fault {
        return fault
    }
}

private func path(_ fault: LUKS2Fault?) -> String? {
    if case .rule(let path, _, _) = fault { path } else { nil }
}

@Test("accepts the unchanged header")
func accepts() throws {
    #expect(try fault("\"raw\"", "\"raw\"") == nil)
}

@Test("refuses a segment with a null cipher")
func nullCipher() throws {
    let old = #""encryption":"aes-xts-plain64","sector_size""#
    #expect(
        try fault(old, #""encryption":"cipher_null-ecb","sector_size""#)
            == .rule(
                path: "$.segments.0.encryption", expected: "\"aes-xts-plain64\"",
                actual: "\"cipher_null-ecb\""))
}

@Test(
    "refuses each rule broken, with its path",
    arguments: [
        (#""type":"crypt""#, #""type":"linear""#, "$.segments.0.type"),
        (#""size":"dynamic""#, #""size":"4096""#, "$.segments.0.size"),
        (#""iv_tweak":"0""#, #""iv_tweak":"8""#, "$.segments.0.iv_tweak"),
        (#""sector_size":512"#, #""sector_size":513"#, "$.segments.0.sector_size"),
        (#""sector_size":512"#, #""sector_size":8192"#, "$.segments.0.sector_size"),
        (#""offset":"16777216""#, #""offset":"16777217""#, "$.segments.0.offset"),
        (#""offset":"16777216""#, #""offset":"4096""#, "$.keyslots.0.area.size"),
        (#""offset":"16777216""#, #""offset":16777216"#, "$.segments.0.offset"),
        (#""offset":"16777216""#, #""offset":"-1""#, "$.segments.0.offset"),
        (
            #""offset":"16777216""#, #""offset":"99999999999999999999""#,
            "$.segments.0.offset"
        ),
        (
            #""iv_tweak":"0""#, #""iv_tweak":"0","integrity":{"type":"hmac(sha256)"}"#,
            "$.segments.0.integrity"
        ),
        (#""iv_tweak":"0""#, #""iv_tweak":"0","flags":["in-reencryption"]"#, "$.segments.0.flags"),
        (#""segments":{"0""#, #""segments":{"1""#, "$.segments"),
        (#""type":"luks2""#, #""type":"reencrypt""#, "$.keyslots.0.type"),
        (#""key_size":64,"af""#, #""key_size":32,"af""#, "$.keyslots.0.key_size"),
        (#""key_size":64,"af""#, #""key_size":64,"priority":3,"af""#, "$.keyslots.0.priority"),
        (#""stripes":4000"#, #""stripes":1"#, "$.keyslots.0.af.stripes"),
        (#""type":"luks1","#, #""type":"none","#, "$.keyslots.0.af.type"),
        (#""type":"raw""#, #""type":"journal""#, "$.keyslots.0.area.type"),
        (#""offset":"32768""#, #""offset":"16384""#, "$.keyslots.0.area.offset"),
        (#""size":"258048""#, #""size":"0""#, "$.keyslots.0.area.size"),
        (#""size":"258048""#, #""size":"4096""#, "$.keyslots.0.area.size"),
        (#""size":"258048""#, #""size":"99999999""#, "$.keyslots.0.area.size"),
        (
            #""encryption":"aes-xts-plain64","key_size":64}"#,
            #""encryption":"cipher_null-ecb","key_size":64}"#, "$.keyslots.0.area.encryption"
        ),
        (
            #""encryption":"aes-xts-plain64","key_size":64}"#,
            #""encryption":"aes-xts-plain64","key_size":32}"#, "$.keyslots.0.area.key_size"
        ),
        (#""kdf":{"type":"pbkdf2""#, #""kdf":{"type":"scrypt""#, "$.keyslots.0.kdf.type"),
        (
            #""hash":"sha256","iterations":1000,"salt":"#,
            #""hash":"sha256","iterations":20000001,"salt":"#, "$.keyslots.0.kdf.iterations"
        ),
        (
            #""digests":{"0":{"type":"pbkdf2""#, #""digests":{"0":{"type":"raw""#,
            "$.digests.0.type"
        ),
        (#""keyslots":["0"],"segments""#, #""keyslots":[],"segments""#, "$.digests.0.keyslots"),
        (
            #""keyslots":["0"],"segments""#, #""keyslots":["00"],"segments""#,
            "$.digests.0.keyslots[0]"
        ),
        (#""segments":["0"]"#, #""segments":[]"#, "$.digests.0.segments"),
        (#""digests":{"0""#, #""digests":{"x""#, "$.digests"),
        (#""keyslots":["0"],"vm""#, #""keyslots":["3"],"vm""#, "$.tokens.0.keyslots"),
        (#""keyslots":["0"],"vm""#, #""keyslots":["0","0"],"vm""#, "$.tokens.0.keyslots[1]"),
        (#""tokens":{"0""#, #""tokens":{"32""#, "$.tokens"),
        (#""json_size":"12288""#, #""json_size":"12289""#, "$.config.json_size"),
        (#""keyslots_size":"16744448""#, #""keyslots_size":"16744449""#, "$.config.keyslots_size"),
        (#""keyslots_size":"16744448""#, #""keyslots_size":"4096""#, "$.keyslots.0.area.size"),
        (
            #""json_size":"12288""#,
            #""json_size":"12288","requirements":{"mandatory":["online-reencrypt-v2"]}"#,
            "$.config.requirements.mandatory[0]"
        ),
        (#""json_size":"12288""#, #""json_size":"12288","flags":["new"]"#, "$.config.flags[0]"),
        (#""config":"#, #""new":{},"config":"#, "$.new"),
    ])
func broken(old: String, new: String, expected: String) throws {
    let found = try fault(old, new)
    #expect(path(found) == expected, "\(String(describing: found))")
}

@Test("refuses an argon2 keyslot that would stall the boot")
func argonCosts() throws {
    let kdf = try #require(
        sample.json.firstRange(of: #""type":"pbkdf2","hash":"sha256","iterations":1000,"salt":"#))
    for (cost, member) in [
        (#""time":65,"memory":32,"cpus":1"#, "time"),
        (#""time":4,"memory":4194305,"cpus":1"#, "memory"),
        (#""time":4,"memory":32,"cpus":17"#, "cpus"),
    ] {
        let json = sample.json.replacingCharacters(
            in: kdf, with: #""type":"argon2id",\#(cost),"salt":"#)
        #expect(throws: LUKS2Fault.self) { try check(json) }
        do { try check(json) } catch let fault as LUKS2Fault {
            #expect(path(fault) == "$.keyslots.0.kdf.\(member)")
        }
    }
    try check(
        sample.json.replacingCharacters(
            in: kdf, with: #""type":"argon2id","time":4,"memory":1048576,"cpus":4,"salt":"#))
}

@Test("refuses a keyslot that is not there")
func missingKeyslot() throws {
    let header = try LUKS2Header(image: sample.bytes, hashing: hashing)
    #expect(throws: LUKS2Fault.rule(path: "$.keyslots", expected: "keyslot 5", actual: "none such"))
    {
        try LUKS2Rules().check(header, keyslot: 5)
    }
}

@Test("refuses every truncation of the JSON text")
func truncatedJSON() throws {
    for length in 0..<sample.json.utf8.count {
        let text = String(sample.json.prefix(length))
        #expect(throws: LUKS2Fault.self, "length \(length)") { try check(text) }
    }
}

@Test("refuses a header with any member taken away")
func memberTakenAway() throws {
    func mutants(_ value: JSONValue) -> [JSONValue] {
        guard case .object(let members) = value else { return [] }
        var result: [JSONValue] = []
        for index in members.indices {
            var fewer = members
            fewer.remove(at: index)
            result.append(.object(fewer))
            // A header without tokens is a good one, and what stands in them is their owners' affair.
            if members[index].name == "tokens" { continue }
            for mutant in mutants(members[index].value) {
                var changed = members
                changed[index] = JSONValue.Member(name: members[index].name, value: mutant)
                result.append(.object(changed))
            }
        }
        return result
    }
    let value = try JSONReader.parse(Array(sample.json.utf8), limits: .init(byteCount: 65536))
    for mutant in mutants(value) {
        let text = serialize(mutant)
        #expect(throws: LUKS2Fault.self, "\(text)") { try check(text) }
    }
}

private func serialize(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .boolean(let flag): "\(flag)"
    case .number(let digits): digits
    case .string(let text): "\"\(text)\""
    case .array(let elements): "[\(elements.map(serialize).joined(separator: ","))]"
    case .object(let members):
        "{\(members.map { "\"\($0.name)\":\(serialize($0.value))" }.joined(separator: ","))}"
    }
}

@Test("shows text of the disk without control characters")
func printable() throws {
    let fault = try fault(#""type":"crypt""#, #""type":"\u001b[2Jx""#)
    #expect(
        fault.map { "\($0)" }
            == "LUKS2 metadata $.segments.0.type: expected \"crypt\", found \"?[2Jx\"")
}
