import Bytes
import LUKS
import Linux
import OpenSSL

/// The tokens by which enrolment finds its own keyslots again on a LUKS2 volume.
///
/// `{"type":"bootgate","keyslots":["1"],"vm":"web-1","key":"disk"}` says that keyslot 1 is ours. While
/// a keyslot is being added, the token names no keyslot and has a member `"adding":"1"`.
struct EnrolmentToken: Equatable {
    let number: Int
    /// The keyslots that are ours beyond doubt.
    let keyslots: Set<Int>
    /// The keyslot that was to be added when the token was written last.
    let adding: Int?

    init?(_ token: LUKS2Token, vm: String, keyName: String) {
        guard token.type == "bootgate", token.json["vm"]?.string == vm,
            token.json["key"]?.string == keyName
        else { return nil }
        number = token.number
        keyslots = token.keyslots
        adding = token.json["adding"]?.string.flatMap { Int($0) }
    }

    static func json(vm: String, keyName: String, keyslot: Int, isThere: Bool) -> String {
        // Both names follow grammars that need no escapes.
        let names = "\"vm\":\"\(vm)\",\"key\":\"\(keyName)\""
        return isThere
            ? "{\"type\":\"bootgate\",\"keyslots\":[\"\(keyslot)\"],\(names)}"
            : "{\"type\":\"bootgate\",\"keyslots\":[],\(names),\"adding\":\"\(keyslot)\"}"
    }
}

/// The disk of an enrolment.
struct EnrolmentDisk {
    let path: String
    let rules: LUKS2Rules

    private var hashing: OpenSSLHashing { OpenSSLHashing() }

    /// The header as it is now, after all rules.
    func header() throws(Failure) -> LUKS2Header {
        let header: LUKS2Header
        do {
            header = try LUKS2Header(image: image(), hashing: hashing)
            try rules.check(header)
        } catch {
            throw Failure(.unusableInput, "\(path.shown): \(error)", next: Self.advice(error))
        }
        return header
    }

    func digest() throws(Failure) -> FixedBytes<32> {
        try header().digest(hashing: hashing)
    }

    private func image() throws(LUKS2Fault) -> [UInt8] {
        do throws(SystemError) {
            let file = try FileDescriptor(path, .read)
            var bytes: [UInt8] = []
            while bytes.count < LUKS2Header.defaultLimit {
                let more = try file.read(upTo: LUKS2Header.defaultLimit - bytes.count)
                if more.isEmpty { break }
                bytes.append(contentsOf: more)
            }
            return bytes
        } catch {
            throw .unreadable(reason: "\(error)")
        }
    }

    private static func advice(_ fault: LUKS2Fault) -> String? {
        switch fault {
        case .noValidCopy(.invalid(field: "magic", _), _):
            "Next: if the volume is a partition of an image, `losetup --find --show --partscan FILE` "
                + "gives it a device of its own; LUKS1 becomes LUKS2 by `cryptsetup convert`."
        case .rule(path: let path, _, _) where path.contains("requirements"):
            "Next: let a reencryption end first (`cryptsetup reencrypt --resume-only`)."
        case .rule:
            "Next: docs/luks.md says which volumes are accepted."
        default: nil
        }
    }
}
