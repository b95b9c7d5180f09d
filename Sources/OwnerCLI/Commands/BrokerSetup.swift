import AdminAPI
import Bytes
import Linux
import OpenSSL
import Protocol
import Settings

/// The files of a new broker.
struct BrokerSetup {
    /// SHA-256 of the keys that VMs are to accept.
    struct Pins {
        let live: FixedBytes<32>
        let spare: FixedBytes<32>?
    }

    static let usualDirectory = "/etc/bootgate"

    let directory: String
    let state: String
    let socket: String
    let listen: [String]
    let health: String
    let addresses: [BrokerAddress]
    let makesSpare: Bool

    var configPath: String { "\(directory)/broker.toml" }
    var wrappingKeyPath: String { "\(directory)/wrapping.key" }
    var spareKeyPath: String { "\(directory)/spare.key" }
    /// The admin socket as seen from anywhere below the present directory.
    var socketPath: String { socket.hasPrefix("/") ? socket : "\(directory)/\(socket)" }
    private var keyPath: String { "\(directory)/broker.key" }
    private var certificatePath: String { "\(directory)/broker.crt" }
    private var defaultsPath: String { "\(directory)/\(EnrolmentDefaults.fileName)" }

    init(_ command: Initialize) throws(Failure) {
        let isUsual = command.directory == Self.usualDirectory
        directory = try Self.plain("--directory", command.directory)
        state = isUsual ? "/var/lib/bootgate-broker" : "state"
        socket = try Self.plain(
            "--socket",
            command.global.socket ?? (isUsual ? AdminPath.defaultSocket : "admin.sock"))
        listen = command.listen.isEmpty ? ["0.0.0.0:7411", "[::]:7411"] : command.listen
        health = command.health
        for text in listen + (health == "off" ? [] : [health])
        where BrokerSettings.Listen(text) == nil {
            throw Failure(
                .unusableInput, "\"\(text.shown)\": expected ADDRESS:PORT or [IPV6]:PORT")
        }
        var addresses: [BrokerAddress] = []
        for text in command.address { addresses.append(try Names.broker(text)) }
        self.addresses = addresses
        makesSpare = command.spare
    }

    /// Writes everything; `broker.toml` last, so that a broker never starts on half of it.
    func write() throws(Failure) -> Pins {
        try refuseExisting()
        do {
            try File.makeDirectories(directory)
            if state.hasPrefix("/") {
                try File.makeDirectories(state, mode: 0o700)
            } else if !File.exists("\(directory)/\(state)") {
                try File.makeDirectory("\(directory)/\(state)", mode: 0o700)
            }
            let live = try SigningKey.generate(.p256)
            try File.writeSecretAtomically(keyPath, live.pem())
            try File.writeAtomically(certificatePath, certificate(for: live), mode: 0o644)
            var spare: FixedBytes<32>?
            if makesSpare {
                let key = try SigningKey.generate(.p256)
                try File.writeSecretAtomically(spareKeyPath, key.pem())
                spare = key.publicKeyInfoDigest
            }
            try File.writeSecretAtomically(wrappingKeyPath, Random.secret(32))
            let defaults = EnrolmentDefaults(
                brokers: addresses, sparePins: spare.map { [$0] } ?? [])
            try File.writeAtomically(defaultsPath, Array(defaults.toml.utf8), mode: 0o644)
            try handToBroker()
            try File.writeAtomically(configPath, Array(toml.utf8), mode: 0o644)
            return Pins(live: live.publicKeyInfoDigest, spare: spare)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.unusableInput, "\(error)".shown)
        }
    }

    private func refuseExisting() throws(Failure) {
        let paths = [
            configPath, keyPath, certificatePath, wrappingKeyPath, spareKeyPath, defaultsPath,
        ]
        let there = paths.filter { File.exists($0) }
        guard !there.isEmpty else { return }
        let isComplete = there.contains(configPath)
        throw Failure(
            .unusableInput, "\(there.joined(separator: ", ").shown): exists and is not overwritten",
            next: isComplete
                ? "Next: `bootgate-broker --config \(configPath.shown)` starts the broker that is there."
                : "Next: these are of an init that did not finish; remove them and say it again.")
    }

    /// Where the package made a user for the broker, its files are that user's.
    private func handToBroker() throws {
        guard directory == Self.usualDirectory, Process.userID == 0,
            let user = Process.userID(named: "bootgate")
        else { return }
        for path in [keyPath, wrappingKeyPath, state] {
            try File.changeOwner(path, to: user)
        }
    }

    private func certificate(for key: borrowing SigningKey) throws -> [UInt8] {
        let name = CertificateTemplate.Name(commonName: "bootgate-broker")
        // VMs pin the key and ignore dates and names; they are there for other tools.
        var template = CertificateTemplate(
            subject: name, issuer: name, serial: [0x01] + Random.bytes(15),
            notBefore: Clock.realtime - 3600, notAfter: Clock.realtime + 10 * 365 * 86_400,
            signature: .ecdsaSHA256)
        template.alternativeNames = addresses.isEmpty ? ["localhost"] : addresses.map(\.host)
        let der = try CertificateIssuer.issue(template, subjectKey: key, issuerKey: key)
        return try X509Certificate(der: der).pem
    }

    private var toml: String {
        func list(_ texts: [String]) -> String {
            "[" + texts.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        }
        return """
            # The configuration of bootgate-broker; `man 5 broker.toml` explains each key.
            # Relative paths start at this file's directory.

            state = "\(state)"

            [launch]
            listen = \(list(listen))
            certificate = "broker.crt"
            key = "broker.key"

            [admin]
            socket = "\(socket)"

            [health]
            listen = "\(health)"

            [keys]
            wrapping_key = "wrapping.key"

            # Whether AMD and Intel are asked for certificates and revocation lists that are missing.
            # Without Internet, `bootgate endorsements import` brings them.
            [endorsements]
            online = false

            """
    }

    /// A path that can stand in TOML as it is.
    private static func plain(_ option: String, _ path: String) throws(Failure) -> String {
        let isPlain = path.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
        guard !path.isEmpty, isPlain, !path.contains("\""), !path.contains("\\") else {
            throw Failure(
                .unusableInput,
                "\(option) \"\(path.shown)\": expected printable ASCII without quotes and backslashes"
            )
        }
        return path
    }
}
