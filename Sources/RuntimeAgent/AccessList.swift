import Bytes
import HTTPTypes
import OpenSSL

/// Who may change something: whoever knows one of the tokens, or proves one of the keys.
struct AccessList: Sendable {
    /// How a client has shown that it may.
    enum Login: CustomStringConvertible {
        case token(FixedBytes<32>)
        case clientKey(FixedBytes<32>)

        /// For the journal; a digest's first digits say which entry of the config it is.
        var description: String {
            switch self {
            case .token(let digest): "token sha256:\(digest.hex.prefix(8))"
            case .clientKey(let digest): "client key sha256:\(digest.hex.prefix(8))"
            }
        }
    }

    /// SHA-256 of each bearer token.
    let tokens: [FixedBytes<32>]
    /// SHA-256 of the SubjectPublicKeyInfo of each client certificate.
    let clientKeys: [FixedBytes<32>]

    /// How many clients may change something.
    var count: Int { tokens.count + clientKeys.count }

    /// By what a client may do it.
    ///
    /// - Parameters:
    ///   - authorization: the header of that name.
    ///   - clientKey: the key that the client proved in the handshake.
    func login(authorization: String?, clientKey: FixedBytes<32>?) throws(Refusal) -> Login {
        guard count > 0 else {
            throw Refusal(
                .forbidden, .login,
                "nobody may do this here: agent.toml has neither access.tokens nor access.client_keys"
            )
        }
        if let clientKey, Self.holds(clientKeys, clientKey) { return .clientKey(clientKey) }
        if let authorization, let token = Self.token(in: authorization) {
            let digest = OpenSSLHashing().sha256(Array(token.utf8))
            if Self.holds(tokens, digest) { return .token(digest) }
        }
        let isAnonymous = authorization == nil && clientKey == nil
        throw Refusal(
            .unauthorized, .login,
            isAnonymous
                ? "this needs a login: a bearer token, or a client certificate whose key agent.toml names"
                : "this login is not one that agent.toml names",
            headers: [.wwwAuthenticate: "Bearer realm=\"bootgate-agent\""])
    }

    /// RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1).
    private static func token(in authorization: String) -> Substring? {
        let scheme = "bearer "
        guard authorization.count > scheme.count,
            authorization.prefix(scheme.count).lowercased() == scheme
        else { return nil }
        return authorization.dropFirst(scheme.count)
    }

    /// Looks at all of them, so that the time tells nothing of how many were tried.
    private static func holds(_ list: [FixedBytes<32>], _ digest: FixedBytes<32>) -> Bool {
        list.reduce(false) { found, known in (known == digest) || found }
    }
}
