import AgentAPI
import Protocol
import RuntimeCore

/// What the agent is and can give, asked of the hardware from time to time only.
final class About: Sendable {
    private struct Hardware {
        var evidence: String?
        var hasTPM = false
        var problems: [String] = []
    }

    private let parts: AgentParts
    private let last = Remembered<Hardware>(freshness: 5000)

    init(_ parts: AgentParts) {
        self.parts = parts
    }

    func status() async throws -> AgentStatus {
        let hardware = try await hardware()
        var problems = hardware.problems
        if !parts.ima.exists {
            problems.append("the kernel has no IMA log: see docs/ima-policy.md")
        }
        if parts.access.count == 0 {
            problems.append(
                "nobody may change anything: agent.toml has neither access.tokens nor access.client_keys"
            )
        }
        return AgentStatus(
            version: "bootgate-agent \(AgentVersion.text)",
            vm: parts.identity.vm?.description, evidence: hardware.evidence,
            hasTPM: hardware.hasTPM, hasIMALog: parts.ima.exists, logins: parts.access.count,
            problems: problems)
    }

    private func hardware() async throws -> Hardware {
        if let known = last.value() { return known }
        let source = parts.identity.now.evidence
        return try await parts.workers.hardware { [self] in
            // Whoever waited behind another one finds its answer.
            if let known = last.value() { return known }
            let found = Self.ask(source)
            last.remember(found)
            return found
        }
    }

    private static func ask(_ source: RuntimeEvidence) -> Hardware {
        var found = Hardware()
        do {
            found.evidence = "\(try source.kind())"
        } catch {
            found.problems.append("no evidence of the processor: \(error)")
        }
        do {
            found.hasTPM = try source.hasTPM()
            if !found.hasTPM { found.problems.append("no TPM, so PCR 10 cannot be quoted") }
        } catch {
            found.problems.append("no quote of the TPM: \(error)")
        }
        return found
    }
}
