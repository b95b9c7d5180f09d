import RuntimeCore
import Testing

@Suite("The agent's folder")
struct AgentFolderTests {
    @Test(
        "takes relative paths as below its root, and absolute ones as they are",
        arguments: [
            ("/var/lib/bootgate", "data/cert.pem", "/var/lib/bootgate/data/cert.pem"),
            ("/srv/agent/", "data/app", "/srv/agent/data/app"),
            ("/srv/agent", "/etc/ssl/agent.pem", "/etc/ssl/agent.pem"),
        ])
    func resolves(root: String, path: String, expected: String) {
        #expect(AgentFolder(root: root).resolve(path) == expected)
    }
}
