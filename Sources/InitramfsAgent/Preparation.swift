import Attester
import Bytes
import Linux
import Protocol
import TPM

/// Why a launch stops before it has asked anybody.
struct StopError: Error, Equatable {
    let stop: Ending.Stop
    let problem: String

    init(_ stop: Ending.Stop, _ problem: String) {
        self.stop = stop
        self.problem = problem
    }
}

/// Everything before the network: guest, platform, configuration, disk.
struct Preparation {
    /// How long drivers, volumes and disks may take to appear, in milliseconds.
    private static let platformPatience: UInt64 = 30_000
    private static let configPatience: UInt64 = 5000
    private static let diskPatience: UInt64 = 60_000
    /// How long to look for another disk, in milliseconds, after one that is not usable.
    private static let decoyPatience: UInt64 = 3000

    let options: LaunchOptions
    let speaker: Speaker
    let hashing: any Hashing

    /// Refuses a guest whose keys the host could guess, or into which it could hand files.
    func checkGuest() throws(StopError) {
        guard options.activates else { return }
        let flags: Set<String>
        let commandLine: [UInt8]
        do throws(SystemError) {
            flags = try Machine.cpuFlags()
            commandLine = try File.read("/proc/cmdline", atMost: 65536)
        } catch {
            throw StopError(.internalError, error.description)
        }
        let text = String(decoding: commandLine, as: UTF8.self)
        if let problem = Self.problem(cpuFlags: flags, commandLine: text) {
            throw StopError(.unusableInput, problem)
        }
    }

    /// What is wrong with a guest of these flags and this command line; nil when nothing is.
    static func problem(cpuFlags: Set<String>, commandLine: String) -> String? {
        guard cpuFlags.contains("rdrand") || cpuFlags.contains("rdseed") else {
            return "this guest has neither rdrand nor rdseed: its keys could be guessed"
        }
        let words = commandLine.split { $0 == " " || $0 == "\n" }
        let off = ["no", "0", "false", "off", "n", "f"].map { "systemd.import_credentials=\($0)" }
        guard words.contains(where: { off.contains(String($0)) }) else {
            return "the kernel command line lacks systemd.import_credentials=no: "
                + "the host could hand in files and units"
        }
        return nil
    }

    /// The secure processor, once its driver is there.
    func platform() throws(StopError) -> any EvidenceProvider {
        if options.tsm == nil, !File.exists("/sys/kernel/config/tsm") {
            // Where the initramfs's systemd does not mount it; a second mount is refused, and fine.
            try? Machine.mountVirtual("configfs", at: "/sys/kernel/config")
        }
        let patience = options.tsm == nil ? Self.platformPatience : 0
        do throws(AttesterError) {
            // Drivers load while we wait; any other answer than "no driver" is final.
            let end = Clock.monotonicMilliseconds + patience
            while Clock.monotonicMilliseconds < end {
                do throws(AttesterError) {
                    return try Platforms.discover(tsm: options.tsm, hashing: hashing)
                } catch {
                    guard case .noPlatform = error else { throw error }
                }
                Clock.sleep(milliseconds: 100)
            }
            return try Platforms.discover(tsm: options.tsm, hashing: hashing)
        } catch {
            throw StopError(.unavailable, error.description)
        }
    }

    /// The platform as `config` wants it: with the TPM's quote or without, and sure to be able to make
    /// its evidence worthless at hand-over. A launch that cannot end safely does not begin.
    func completed(
        _ platform: any EvidenceProvider, _ config: GateConfig
    ) throws(StopError) -> any EvidenceProvider {
        do throws(AttesterError) {
            let complete = config.tpmQuote ? try quoting(platform) : platform
            if options.activates { try complete.checkEnding() }
            return complete
        } catch {
            throw StopError(.unavailable, error.description)
        }
    }

    /// With the quote of a TPM, whose driver may still be loading.
    private func quoting(
        _ platform: any EvidenceProvider
    ) throws(AttesterError) -> any EvidenceProvider {
        let device = "/dev/tpmrm0"
        let patience = options.tsm == nil ? Self.platformPatience : 0
        _ = Self.waiting(upTo: patience) { File.exists(device) ? true : nil }
        return try platform.quoting(.file(device), .launch)
    }

    /// The configuration that the hardware vouches for; no network has been touched yet.
    func chosenConfig(_ platform: any EvidenceProvider) throws(StopError) -> ChosenConfig {
        let anchor: HardwareAnchor
        do throws(AttesterError) {
            anchor = try platform.configAnchor()
        } catch {
            throw StopError(.unavailable, error.description)
        }
        let sources = ConfigSources(files: options.configs)
        let patience = options.configs.isEmpty ? Self.configPatience : 0
        var last = ConfigChoiceError.noneVouchedFor(tried: [])
        let chosen = Self.waiting(upTo: patience) { () -> ChosenConfig? in
            let readable = sources.readable()
            do throws(ConfigChoiceError) {
                return try ChosenConfig(from: readable, anchor: anchor, hashing: hashing)
            } catch {
                last = error
            }
            if case .malformed = last { return nil }
            do throws(ConfigChoiceError) {
                return try ChosenConfig(
                    from: readable + sources.mountable(), anchor: anchor, hashing: hashing)
            } catch {
                last = error
                return nil
            }
        }
        guard let chosen else { throw StopError(.unusableInput, last.description) }
        return chosen
    }

    /// The disks that may be the root: usually one.
    func disks(_ config: GateConfig) throws(StopError) -> [RootDisk] {
        var faults: [String] = []
        var firstFault: UInt64?
        let patience = options.device == nil ? Self.diskPatience : 0
        let found = Self.waiting(upTo: patience) { () -> [RootDisk]? in
            let search = DiskSearch(
                paths: options.device.map { [$0] } ?? DiskSearch.everywhere(), config: config,
                hashing: hashing, reportsAll: options.device != nil)
            faults = search.faults
            guard search.disks.isEmpty else { return search.disks }
            if faults.isEmpty { return nil }
            // A disk with a broken header does not get better by waiting, but it may be a decoy
            // that came up before the right one.
            let now = Clock.monotonicMilliseconds
            let since = firstFault ?? now
            firstFault = since
            return now - since < Self.decoyPatience ? nil : []
        }
        for fault in faults { speaker.say("disk passed over: \(fault)") }
        guard let found, !found.isEmpty else {
            throw StopError(
                .unusableInput, "no usable LUKS2 disk with UUID \(config.device)")
        }
        return found
    }

    /// `early` and the disks with that UUID that have come up since: the first may be a decoy.
    func disks(since early: [RootDisk], _ config: GateConfig) -> [RootDisk] {
        guard options.device == nil else { return early }
        let search = DiskSearch(
            paths: DiskSearch.everywhere(), config: config, hashing: hashing, reportsAll: false)
        let late = search.disks.filter { disk in !early.contains { $0.digest == disk.digest } }
        let disks = early + late
        if disks.count > 1 {
            speaker.say(
                "\(disks.count) disks have UUID \(config.device); the broker will tell which")
        }
        return disks
    }

    /// Asks `look` again and again until it finds something or the time is over.
    private static func waiting<T>(upTo milliseconds: UInt64, _ look: () -> T?) -> T? {
        let end = Clock.monotonicMilliseconds + milliseconds
        while true {
            if let found = look() { return found }
            guard Clock.monotonicMilliseconds < end else { return nil }
            Clock.sleep(milliseconds: 100)
        }
    }
}
