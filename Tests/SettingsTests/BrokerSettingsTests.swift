import Evidence
import Settings
import Testing

@Suite("Broker settings")
struct BrokerSettingsTests {
    private static let least = """
        [launch]
        certificate = "broker.crt"
        key = "/keys/broker.key"

        """

    @Test("what is not given has its documented value, and relative paths start at the file")
    func defaults() throws {
        let settings = try BrokerSettings(toml: Self.least, directory: "/etc/bootgate")
        #expect(settings.certificate == "/etc/bootgate/broker.crt")
        #expect(settings.key == "/keys/broker.key")
        #expect(settings.listen.map(\.description) == ["0.0.0.0:7411"])
        #expect(settings.health?.description == "127.0.0.1:7412")
        #expect(settings.state == "/var/lib/bootgate-broker")
        #expect(settings.adminSocket == "/run/bootgate/admin.sock")
        #expect(settings.wrappingKey == nil)
        #expect(settings.endorsements.directory == "/var/lib/bootgate-broker/endorsements")
        #expect(!settings.endorsements.isOnline)
        #expect(settings.endorsements.proxy == nil)
        #expect(settings.endorsements.prefetchDays == 7)
        #expect(settings.trustsAMD && settings.trustsIntel)
        #expect(settings.roots.isEmpty)
        #expect(settings.logLevel == "info")
    }

    @Test("every key is read")
    func everything() throws {
        let settings = try BrokerSettings(
            toml: """
                state = "state"
                [launch]
                listen = ["127.0.0.1:1", "[::1]:2"]
                certificate = "c"
                key = "k"
                deadline_seconds = 3
                handshake_seconds = 4
                max_connections = 5
                connections_per_second = 6
                connection_burst = 7
                [admin]
                socket = "admin.sock"
                allow_users = ["alice"]
                allow_groups = ["990"]
                [health]
                listen = "off"
                [keys]
                wrapping_key = "w"
                [endorsements]
                directory = "e"
                online = true
                amd_url = "https://kds.example/"
                intel_url = "http://pcs.example"
                proxy = "none"
                ca_file = "ca.pem"
                prefetch_days = 0
                [trust]
                intel = false
                amd = false
                [[trust.root]]
                name = "lab"
                product = "Genoa"
                spki_sha256 = "\(String(repeating: "ab", count: 32))"
                [log]
                level = "debug"
                """, directory: "/d")
        #expect(settings.listen.map(\.description) == ["127.0.0.1:1", "[::1]:2"])
        #expect(settings.listen.map(\.host) == ["127.0.0.1", "::1"])
        #expect(settings.deadlineSeconds == 3)
        #expect(settings.handshakeSeconds == 4)
        #expect(settings.maximumConnections == 5)
        #expect(settings.connectionsPerSecond == 6)
        #expect(settings.connectionBurst == 7)
        #expect(settings.adminUsers == ["alice"])
        #expect(settings.adminGroups == [990])
        #expect(settings.health == nil)
        #expect(settings.wrappingKey == "/d/w")
        #expect(settings.endorsements.directory == "/d/e")
        #expect(settings.endorsements.isOnline)
        #expect(settings.endorsements.amdURL == "https://kds.example/")
        #expect(settings.endorsements.intelURL == "http://pcs.example")
        #expect(settings.endorsements.proxy == "")
        #expect(settings.endorsements.authorities == "/d/ca.pem")
        #expect(settings.endorsements.prefetchDays == 0)
        #expect(!settings.trustsAMD && !settings.trustsIntel)
        #expect(settings.roots.map(\.hardware) == [.snp(.genoa)])
        #expect(settings.logLevel == "debug")
    }

    @Test(
        "a fault is named by its key",
        arguments: [
            ("", "launch"), ("[launch]\nkey = \"k\"", "launch.certificate"),
            (least + "listen = [\"7411\"]", "launch.listen[0]"),
            (least + "listen = []", "launch.listen"),
            (least + "deadline_seconds = 0", "launch.deadline_seconds"),
            (least + "surprise = 1", "launch.surprise"),
            (least + "[admin]\nallow_groups = [\"wheel\"]", "admin.allow_groups[0]"),
            (least + "[health]\nlisten = \"::1:7412\"", "health.listen"),
            (least + "[trust]\namd = false\nintel = false", "trust"),
            (least + "[[trust.root]]\nname = \"lab\"", "trust.root[0].product"),
            (least + "[log]\nlevel = \"loud\"", "log.level"),
        ])
    func faults(toml: String, path: String) {
        let fault: SettingsError?
        do throws(SettingsError) {
            _ = try BrokerSettings(toml: toml, directory: "/etc/bootgate")
            fault = nil
        } catch {
            fault = error
        }
        #expect(fault?.path == path)
    }
}
