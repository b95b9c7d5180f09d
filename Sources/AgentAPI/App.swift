/// Body of `POST /v1/app/init`.
public struct AppConfiguration: Codable, Equatable, Sendable {
    /// The configuration's bytes, base64; nobody looks into them.
    public var content: String

    /// Wraps the bytes' base64.
    public init(content: String) {
        self.content = content
    }
}

/// Answer of `GET /v1/app/status` and of the calls that start and stop.
public struct AppStatus: Codable, Equatable, Sendable {
    /// `systemd`, `supervisor` or `standalone`.
    public var serviceType: String
    /// Name of the service.
    public var serviceName: String
    /// `running`, `stopped`, `failed` or `unknown`.
    public var state: String
    /// SHA-256 of `app.conf`, in hexadecimal; nil where none was written yet, and for whoever has no login.
    public var configurationDigest: String?

    /// Puts a status together.
    public init(
        serviceType: String, serviceName: String, state: String, configurationDigest: String? = nil
    ) {
        self.serviceType = serviceType
        self.serviceName = serviceName
        self.state = state
        self.configurationDigest = configurationDigest
    }
}
