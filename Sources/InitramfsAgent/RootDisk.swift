import Bytes
import LUKS
import Linux
import Protocol

/// A disk with the right UUID, whose header is in memory and keeps our rules.
struct RootDisk {
    let path: String
    let header: LUKS2Header
    let digest: FixedBytes<32>
}

/// What a look at the disks found.
struct DiskSearch {
    /// Usable ones, by device number: one of several with the same UUID is a decoy, and its header
    /// digest is not the one that the broker knows.
    var disks: [RootDisk] = []
    /// Why others with that UUID, or the one asked for, are not usable.
    var faults: [String] = []

    /// Looks at `paths` for the LUKS2 volume that `config` names. Every byte is read at most once.
    init(paths: [String], config: GateConfig, hashing: any Hashing, reportsAll: Bool) {
        let rules = LUKS2Rules(cipher: config.cipher, keyBits: config.keyBits)
        for path in paths {
            do throws(LUKS2Fault) {
                let header = try Self.header(path, hashing: hashing)
                guard header.uuid.lowercased() == config.device else {
                    if reportsAll { faults.append("\(path): UUID is \(header.uuid.lowercased())") }
                    continue
                }
                do throws(LUKS2Fault) {
                    try rules.check(header)
                    disks.append(
                        RootDisk(
                            path: path, header: header, digest: header.digest(hashing: hashing)))
                } catch {
                    faults.append("\(path): \(error)")
                }
            } catch {
                if reportsAll { faults.append("\(path): \(error)") }
            }
        }
    }

    /// Looks at every disk and partition of this machine.
    static func everywhere() -> [String] {
        let virtual = ["dm-", "loop", "zram", "sr", "fd", "md"]
        let devices = (try? BlockDevice.all()) ?? []
        return devices.filter { device in
            !virtual.contains { device.name.hasPrefix($0) }
        }.map(\.path)
    }

    private static func header(
        _ path: String, hashing: any Hashing
    ) throws(LUKS2Fault) -> LUKS2Header {
        let disk = try open(path)
        return try LUKS2Header(hashing: hashing) { offset, count throws(LUKS2Fault) in
            do throws(SystemError) {
                return try disk.readAvailable(at: UInt64(offset), upTo: count)
            } catch {
                throw .unreadable(reason: error.description)
            }
        }
    }

    private static func open(_ path: String) throws(LUKS2Fault) -> FileDescriptor {
        do throws(SystemError) {
            return try FileDescriptor(path, .read)
        } catch {
            throw .unreadable(reason: error.description)
        }
    }
}
