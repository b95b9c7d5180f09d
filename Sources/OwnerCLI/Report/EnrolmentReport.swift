import AdminAPI
import Bytes
import Protocol

/// What `bootgate vm enroll` says at its end.
struct EnrolmentReport {
    let result: EnrolmentResult
    let gateConfPath: String
    let advice: LaunchAdvice
    /// Other VMs that have a keyslot on the same disk.
    let foreign: [String]

    var lines: [String] {
        var lines = [
            "Keyslot \(result.keyslot) added, header and volume key digests recorded, "
                + "gate.conf written to \(gateConfPath.shown)."
        ]
        if !result.removedKeyslots.isEmpty {
            let numbers = result.removedKeyslots.map(String.init).joined(separator: ", ")
            lines.append("Removed what earlier enrolments left: keyslot \(numbers).")
        }
        for vm in foreign {
            lines.append(
                "Note: this disk also has a keyslot of \(vm); is it a copy of that VM's disk?")
        }
        lines.append("")
        lines += advice.lines(configPath: gateConfPath.shown)
        lines.append("Next: start the VM, then `bootgate launches \(result.record.id.shown)`.")
        return lines
    }

    struct JSON: Encodable {
        let vm: VMRecord
        let keyslot: Int
        let removedKeyslots: [Int]
        let headerDigest: String
        let gateConfPath: String
        let configDigest: String
        let hostData: String?
        let qemuObject: String?
        let libvirt: String?
    }

    var json: JSON {
        let isHostData = advice.anchor == .hostData
        return JSON(
            vm: result.record, keyslot: result.keyslot, removedKeyslots: result.removedKeyslots,
            headerDigest: result.headerDigest.hex, gateConfPath: gateConfPath,
            configDigest: advice.digest.hex,
            hostData: isHostData ? advice.hostData : nil,
            qemuObject: isHostData ? advice.qemuObject : nil,
            libvirt: isHostData ? advice.libvirt.joined(separator: "\n") : nil)
    }
}
