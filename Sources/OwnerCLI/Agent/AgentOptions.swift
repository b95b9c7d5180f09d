import AgentAPI
import ArgumentParser
import Bytes
import Curl
import Linux

/// How the agent of a VM is reached, and who asks.
struct AgentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The agent: https://HOST, or https://HOST:PORT; the port is 5555 unless given.",
            valueName: "url"))
    var url: String?

    @Flag(
        name: .customLong("allow-insecure-tls"),
        help: ArgumentHelp(
            "Take any certificate for TLS.",
            discussion: """
                What comes back is believed for nothing but evidence that names the certificate. A \
                login is sent only after such evidence, and never by `bootgate app`.
                """))
    var allowInsecureTLS = false

    @Option(
        help: ArgumentHelp(
            "PEM file of authorities to believe instead of the system's, or of the agent's certificate.",
            valueName: "file"),
        completion: .file())
    var ca: String?

    @Option(
        help: ArgumentHelp(
            "File of the token that the agent wants for changes.",
            discussion: "Default: the file that BOOTGATE_TOKEN_FILE names.", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    @Option(
        help: ArgumentHelp("PEM file of a client's certificate.", valueName: "file"),
        completion: .file())
    var clientCertificate: String?

    @Option(
        help: ArgumentHelp("PEM file of its unencrypted key.", valueName: "file"),
        completion: .file())
    var clientKey: String?

    /// The longest token, in bytes.
    private static let maximumToken = 4096

    func validate() throws {
        guard (clientCertificate == nil) == (clientKey == nil) else {
            throw ValidationError("--client-certificate and --client-key belong together")
        }
        guard ca == nil || !allowInsecureTLS else {
            throw ValidationError("--ca and --allow-insecure-tls exclude each other")
        }
    }

    /// The agent, at `--url`, or at the host that a snapshot names.
    func client(hostName: String? = nil) throws(Failure) -> AgentClient {
        guard let url = url ?? hostName.map({ "https://\($0)" }) else {
            throw Failure(
                .usage, "--url is missing, and nothing else says where the agent is",
                next: "Next: say it again with --url https://HOST:5555.")
        }
        let address = try ServerAddress(
            url: url, defaultPort: UInt16(AgentPath.defaultPort), "--url")
        var login = HTTPSSession.Login()
        login.certificate = try Self.readable(clientCertificate, "--client-certificate")
        login.key = try Self.readable(clientKey, "--client-key")
        return try AgentClient(address, trust: try trust(), login: login, token: try token())
    }

    /// The options that say where `client` is, and whom it believes.
    func words(_ client: AgentClient) -> String {
        let ca = ca.map { " --ca \($0.shown)" } ?? ""
        return "--url \(client.address.origin)"
            + (allowInsecureTLS ? " --allow-insecure-tls" : ca)
    }

    private func trust() throws(Failure) -> HTTPSSession.Trust {
        if allowInsecureTLS { return .none }
        guard let ca = try Self.readable(ca, "--ca") else { return .system }
        return .authorities(ca)
    }

    /// The token without the white space at its end; empty where none is named.
    private func token() throws(Failure) -> SecretBytes {
        guard let path = tokenFile ?? Process.environment("BOOTGATE_TOKEN_FILE") else {
            return unsafe SecretBytes(count: 0) { _ in }
        }
        let option = tokenFile == nil ? "BOOTGATE_TOKEN_FILE" : "--token-file"
        let whole: SecretBytes
        do throws(SystemError) {
            whole = try File.readSecret(path, atMost: Self.maximumToken)
        } catch {
            throw Failure(.unusableInput, "\(option): \("\(error)".shown)")
        }
        let (count, isPrintable) = unsafe whole.withBytes { bytes in
            let last = unsafe bytes.lastIndex { $0 > 0x20 }
            let count = last.map { $0 + 1 } ?? 0
            return (count, unsafe bytes.prefix(count).allSatisfy { (0x21...0x7e).contains($0) })
        }
        guard count > 0, isPrintable else {
            throw Failure(
                .unusableInput,
                "\(option): \(path.shown): expected one line of printable characters without spaces"
            )
        }
        return unsafe whole.withBytes { bytes in
            unsafe SecretBytes(count: count) {
                unsafe $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
        }
    }

    /// libcurl's words for a file that is not there name no option.
    private static func readable(_ path: String?, _ option: String) throws(Failure) -> String? {
        guard let path else { return nil }
        do throws(SystemError) {
            _ = try FileDescriptor(path, .read)
        } catch {
            throw Failure(.unusableInput, "\(option): \("\(error)".shown)")
        }
        return path
    }
}
