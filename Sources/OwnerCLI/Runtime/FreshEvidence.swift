import AgentAPI
import Authenticators
import Bytes
import Evidence
import Linux
import OpenSSL
import Protocol

/// Evidence that a running VM made for this request, over this connection, and what was found of it.
struct FreshEvidence {
    /// What the agent says of itself, under the binding.
    let statement: RuntimeStatement
    /// The checks of signature, chain, certificates, binding and quote, and the claims if they hold.
    let authentication: Authentication
    /// TPM name of the key that quoted; empty without a quote.
    let attestationKeyName: [UInt8]
    /// The connection that it came by.
    let peer: TLSPeer
    /// When, Unix seconds by this machine's clock.
    let time: Int64

    /// Asks with a nonce of its own.
    ///
    /// - Throws: for an agent that cannot be reached or refuses, and for an answer that is no evidence at all.
    init(
        from client: AgentClient, _ authenticator: PlatformAuthenticator, at time: Int64
    ) throws(Failure) {
        guard let nonce = FixedBytes<32>(Random.bytes(32)) else {
            throw Failure(.internal, "32 random bytes are not 32")
        }
        let answer = try client.evidence(nonce: nonce)
        peer = try client.peer
        self.time = time
        guard let bytes = Base64.decode(answer.statement),
            let body = Base64.decode(answer.evidence)
        else {
            throw Failure(.refused, "the agent's evidence is no base64")
        }
        guard let channel = peer.channelBinding else {
            throw Failure(.refused, "the agent's connection is older than TLS 1.3")
        }
        do throws(ParseError) {
            statement = try RuntimeStatement(parsing: bytes)
            let evidence = try EvidenceMessage(parsing: body)
            let binding = Binding.runtime(
                exporter: channel, statement: bytes, nonce: nonce,
                attestationKeyName: evidence.attestationKeyName, hashing: OpenSSLHashing())
            attestationKeyName = evidence.attestationKeyName
            authentication = try authenticator.authenticate(evidence, binding: binding, at: time)
        } catch {
            throw Failure(.refused, "the agent's evidence: \("\(error)".shown)")
        }
    }
}
