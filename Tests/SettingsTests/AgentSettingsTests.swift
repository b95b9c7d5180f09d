import Bytes
import Settings
import Testing

@Suite("Agent settings")
struct AgentSettingsTests {
    private static let digest = String(repeating: "0a", count: 32)

    @Test("what is not given has its documented value")
    func defaults() throws {
        let settings = try AgentSettings(toml: "")
        #expect(settings == AgentSettings())
        #expect(settings.host == "0.0.0.0" && settings.port == 5555)
        #expect(settings.dataStorage == "/var/lib/bootgate")
        #expect(settings.certificate == "/var/lib/bootgate/data/cert.pem")
        #expect(settings.privateKey == "/var/lib/bootgate/data/cert.key")
        #expect(settings.tpm == .ifPresent)
        #expect(settings.app == nil)
        #expect(settings.tokens.isEmpty && settings.clientKeys.isEmpty)
        #expect(settings.reportsToBroker && settings.reportInterval == 300)
        #expect(settings.gateConfiguration == "/run/bootgate/gate.conf")
    }

    @Test("a Cosmian VM agent's file works unchanged, and relative paths are below data_storage")
    func cosmian() throws {
        let settings = try AgentSettings(
            toml: """
                [agent]
                host = "127.0.0.1"
                port = 5355
                ssl_certificate = "data/cert.pem"
                ssl_private_key = "/keys/key.pem"
                tpm_device = "/dev/tpmrm0"
                data_storage = "/var/lib/cosmian_vm/"

                [app]
                service_type = "systemd"
                service_name = "cosmian_helloworld"
                app_storage = "data/app"
                """)
        #expect(settings.host == "127.0.0.1" && settings.port == 5355)
        #expect(settings.dataStorage == "/var/lib/cosmian_vm")
        #expect(settings.certificate == "/var/lib/cosmian_vm/data/cert.pem")
        #expect(settings.privateKey == "/keys/key.pem")
        #expect(settings.tpm == .file("/dev/tpmrm0"))
        let app = try #require(settings.app)
        #expect(app.serviceType == .systemd && app.serviceName == "cosmian_helloworld")
        #expect(app.storage == "data/app" && !app.allowsUnencrypted)
    }

    @Test("every key of our own is read")
    func everything() throws {
        let settings = try AgentSettings(
            toml: """
                [agent]
                tpm_device = "none"
                [app]
                service_type = "standalone"
                service_name = "/opt/app"
                allow_unencrypted = true
                [access]
                tokens = ["sha256:\(Self.digest)"]
                client_keys = ["sha256:\(Self.digest)"]
                [broker]
                enabled = false
                gate_conf = "/etc/gate.conf"
                interval = "90s"
                [snapshot]
                exclude = ["/srv/media"]
                nice = 3
                io_class = "idle"
                [limits]
                requests_per_second = 7
                connections = 8
                evidence_requests = 9
                [log]
                level = "debug"
                """)
        let digest = try #require(FixedBytes<32>(hex: Self.digest))
        #expect(settings.tpm == .none)
        #expect(settings.app?.serviceType == .standalone && settings.app?.storage == "data/app")
        #expect(settings.app?.allowsUnencrypted == true)
        #expect(settings.tokens == [digest] && settings.clientKeys == [digest])
        #expect(!settings.reportsToBroker)
        #expect(settings.gateConfiguration == "/etc/gate.conf")
        #expect(settings.reportInterval == 90)
        #expect(settings.snapshotExclude == ["/srv/media"])
        #expect(settings.snapshotNice == 3 && settings.snapshotIOClass == .idle)
        #expect(settings.requestsPerSecond == 7 && settings.connections == 8)
        #expect(settings.evidenceRequests == 9)
        #expect(settings.logLevel == "debug")
    }

    @Test(
        "what cannot be meant is refused by name",
        arguments: [
            ("[agent]\nlisten = \"a\"", "agent.listen"), ("[other]", "other"),
            ("[agent]\nport = \"5555\"", "agent.port"), ("[agent]\nport = 65536", "agent.port"),
            ("[agent]\nssl_certificate = \"c\"", "agent.ssl_private_key"),
            ("[agent]\nssl_private_key = \"c\"", "agent.ssl_certificate"),
            ("[agent]\ntpm_device = \"tpm0\"", "agent.tpm_device"),
            ("[agent]\ndata_storage = \"data\"", "agent.data_storage"),
            ("[app]\nservice_name = \"a\"\napp_storage = \"a\"", "app.service_type"),
            (
                "[app]\nservice_type = \"docker\"\nservice_name = \"a\"\napp_storage = \"a\"",
                "app.service_type"
            ),
            ("[access]\ntokens = [\"secret\"]", "access.tokens[0]"),
            ("[access]\nclient_keys = [\"sha256:00\"]", "access.client_keys[0]"),
            ("[broker]\ninterval = \"5\"", "broker.interval"),
            ("[broker]\ninterval = \"1s\"", "broker.interval"),
            ("[broker]\ninterval = \"99999999999999999999h\"", "broker.interval"),
            ("[snapshot]\nexclude = [\"srv\"]", "snapshot.exclude[0]"),
            ("[snapshot]\nnice = 20", "snapshot.nice"),
            ("[snapshot]\nio_class = \"realtime\"", "snapshot.io_class"),
            ("[limits]\nconnections = 0", "limits.connections"),
            ("[log]\nlevel = \"loud\"", "log.level"),
        ])
    func refused(toml: String, path: String) {
        do throws(SettingsError) {
            _ = try AgentSettings(toml: toml)
            Issue.record("taken: \(toml)")
        } catch {
            #expect(error.path == path)
            #expect(!error.description.contains("secret"))
        }
    }
}
