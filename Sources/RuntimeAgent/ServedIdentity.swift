import BrokerLink
import Bytes
import Evidence
import Linux
import NetIO
import OpenSSL
import Protocol
import RuntimeCore
import Settings
import Synchronization
import TPM

/// The certificate that is served at this moment, and evidence that names it.
final class ServedIdentity: Sendable {
    /// Both for one certificate.
    struct Served: Sendable {
        let tls: TLSServerContext
        let evidence: RuntimeEvidence
    }

    let host: Host
    /// The VM's id, where it was booted by the gate.
    let vm: VMIdentifier?
    private let settings: AgentSettings
    private let current: Mutex<Served>

    /// Reads key and certificate, and makes them on the first start.
    ///
    /// - Parameter snapshot: SHA-256 of the snapshot that the agent holds at a moment.
    init(
        _ settings: AgentSettings, log: IMALog,
        snapshot: @escaping @Sendable () -> FixedBytes<32>?,
        discovery: @escaping RuntimeEvidence.Discovery
    ) throws {
        self.settings = settings
        host = try Host()
        let config: GateConfig?
        do throws(HandOverError) {
            config = try HandOver.config(at: settings.gateConfiguration)?.config
        } catch {
            throw StartError(.unusable, error.description)
        }
        vm = config?.vm
        let (subject, tls) = try Self.read(settings, host, vm)
        let evidence = RuntimeEvidence(
            subject, tpm: settings.tpmDevice, expectsTPM: settings.expectsTPM(config), log: log,
            snapshot: snapshot, discovery: discovery)
        current = Mutex(Served(tls: tls, evidence: evidence))
    }

    /// What a connection that begins now gets.
    var now: Served { current.withLock { $0 } }

    /// Reads both files anew; what was served stays where that fails.
    func reload() throws -> Served {
        let (subject, tls) = try Self.read(settings, host, vm)
        return current.withLock { served in
            served = Served(tls: tls, evidence: served.evidence.about(subject))
            return served
        }
    }

    /// Evidence that names the certificate which `caller` was served.
    func evidence(for caller: Caller) throws(Refusal) -> RuntimeEvidence {
        let served = now
        guard served.tls.certificateDigest == caller.tls.certificateDigest else {
            var refusal = Refusal.unavailable(
                "the certificate was replaced after this connection began; connect anew")
            refusal.endsConnection = true
            throw refusal
        }
        return served.evidence
    }

    /// Reads key and certificate, and makes them where there are none.
    static func read(
        _ settings: AgentSettings, _ host: Host, _ vm: VMIdentifier?
    ) throws -> (RuntimeEvidence.Subject, TLSServerContext) {
        let identity: AgentIdentity
        let tls: TLSServerContext
        do {
            identity = try AgentIdentity(
                certificate: settings.certificate, key: settings.privateKey, hostName: host.name)
            tls = try TLSServerContext(
                httpsCertificatePEM: identity.certificatePEM,
                privateKeyPEM: identity.privateKeyPEM())
        } catch {
            throw StartError(
                .unusable, "\(settings.certificate) and \(settings.privateKey): \(error)")
        }
        let subject = RuntimeEvidence.Subject(
            vm: vm, host: host, certificate: identity.leafDigest,
            sshHostKeys: { SSHHostKeys.read(hashing: OpenSSLHashing()) })
        return (subject, tls)
    }
}

extension AgentSettings {
    /// The device to quote by; nil: none is asked.
    var tpmDevice: TPM.Device? {
        switch tpm {
        case .none: nil
        case .ifPresent: .resourceManager
        case .file(let path): .file(path)
        case .simulator(let port): .simulator(port: port)
        }
    }

    /// What there is where the machine has a TPM, however late its device comes.
    private static let signsOfTPM = ["/sys/firmware/acpi/tables/TPM2", "/sys/class/tpm/tpm0"]

    /// Whether there has to be a TPM, so that evidence without its quote would be a lie.
    ///
    /// - Parameter config: what the VM was launched with, where it was booted by the gate.
    func expectsTPM(_ config: GateConfig?, signs: [String] = signsOfTPM) -> Bool {
        switch tpm {
        case .none: false
        case .ifPresent: config?.tpmQuote == true || signs.contains(where: File.exists)
        case .file, .simulator: true
        }
    }
}
