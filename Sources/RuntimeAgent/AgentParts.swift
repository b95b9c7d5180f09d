import AgentAPI
import Logging
import NetIO
import RuntimeCore
import Settings

/// What the requests of both interfaces are answered with.
final class AgentParts: Sendable {
    let identity: ServedIdentity
    let access: AccessList
    let workers = Workers()
    let ima: IMALog
    /// Where securityfs and the ACPI tables have logs of the boot.
    let eventLogs: [String]
    let snapshots: SnapshotDesk
    let packages = PackageDatabase()
    /// Nil where no application was configured.
    let app: AppControl?
    let rates: AddressRates
    /// Lines of the journal that strangers can cause.
    let warnings = AddressRates(perSecond: 1, burst: 10)
    /// Requests that the hardware has to answer.
    let evidenceGate: Gate
    /// Answers that are read while they are sent.
    let streamGate = Gate(total: 64, perAddress: 8)
    /// Questions for packages: long to read, and long to answer.
    let ownersGate = Gate(total: 4, perAddress: 1)
    /// Questions how the application is, by those who have no login.
    let statusGate = Gate(total: 4, perAddress: 1)
    /// Configurations of the application, by those who have one.
    let configurationGate = Gate(total: 8, perAddress: 4)
    /// How the application was a moment ago.
    let lastAppStatus = Remembered<AppStatus>(freshness: 1000)

    init(
        _ settings: AgentSettings, _ log: Logger, ima: IMALog,
        discovery: @escaping RuntimeEvidence.Discovery
    ) throws {
        let job = SnapshotJob(folder: AgentFolder(root: settings.dataStorage))
        identity = try ServedIdentity(
            settings, log: ima, snapshot: { job.digest }, discovery: discovery)
        access = AccessList(tokens: settings.tokens, clientKeys: settings.clientKeys)
        self.ima = ima
        eventLogs = [
            "\(ima.securityfs)/tpm0/binary_bios_measurements",
            "/sys/firmware/acpi/tables/data/CCEL",
        ]
        let app = try Self.app(settings)
        snapshots = SnapshotDesk(job, settings, secret: app?.configuration)
        self.app = app.map { app in
            AppControl(app) { line in log.info("application", metadata: ["action": "\(line)"]) }
        }
        rates = AddressRates(
            perSecond: settings.requestsPerSecond, burst: settings.requestsPerSecond * 4)
        evidenceGate = Gate(
            total: settings.evidenceRequests, perAddress: max(1, settings.evidenceRequests / 2))
    }

    static func app(_ settings: AgentSettings) throws -> AppSettings? {
        guard let app = settings.app else { return nil }
        let type: AppSettings.ServiceType =
            switch app.serviceType {
            case .systemd: .systemd
            case .supervisor: .supervisor
            case .standalone: .standalone
            }
        do {
            return try AppSettings(
                type: type, name: app.serviceName, storage: app.storage,
                folder: AgentFolder(root: settings.dataStorage),
                allowsUnencrypted: app.allowsUnencrypted)
        } catch {
            throw StartError(.unusable, "app.\(error)")
        }
    }
}
