import Bytes
import Evidence
import Policy

/// What a TPM says, as members of `claims`.
enum TPMClaimMembers {
    static func members(_ tpm: TPMClaims) -> [Claim] {
        var members = [
            Claim("key_trust", "TPM key trust", .text(tpm.keyTrust.rawValue)),
            Claim("class", "TPM class", .text(tpm.keyTrust.launchClass.rawValue)),
            Claim("resets", "TPM resets", .number(UInt64(tpm.resetCount))),
            Claim("restarts", "TPM restarts", .number(UInt64(tpm.restartCount))),
            Claim("clock_ms", "TPM clock", .number(tpm.clock), "\(tpm.clock) ms"),
            Claim("clock_safe", "TPM clock safe", .flag(tpm.isClockSafe)),
            Claim("firmware_version", "TPM firmware", .hex(tpm.firmwareVersion)),
        ]
        var banks: [Claim] = []
        for bank in HashAlgorithm.allCases {
            guard let registers = tpm.pcrs.banks[bank] else { continue }
            let values = registers.sorted { $0.key < $1.key }
            banks.append(
                Claim(
                    bank.rawValue, nil,
                    .object(values.map { Claim("\($0.key)", nil, .text(Hex.encode($0.value))) })))
            members += values.map { index, value in
                Claim(nil, "PCR \(index) \(bank.rawValue)", .text(Hex.encode(value)))
            }
        }
        return members + [Claim("pcrs", nil, .object(banks))]
    }
}

/// What a log proves, as members of `claims`.
enum BootClaims {
    static func members(_ boot: BootFacts) -> [Claim] {
        [
            Claim(
                "secure_boot", "Secure Boot", boot.secureBoot.map(ClaimValue.flag) ?? .none,
                boot.secureBoot.map { $0 ? "on" : "off" } ?? "not in the log"),
            Claim(
                "authorities", "let in by",
                .list(
                    boot.authorities.map {
                        .object([
                            Claim("variable", nil, .text($0.variable)),
                            Claim("sha256", nil, .text($0.sha256.hex)),
                            Claim("is_certificate", nil, .flag($0.isCertificate)),
                        ])
                    }), list(boot.authorities.map { "\($0.variable) \($0.sha256.hex)" })),
            images("images", "boot images", boot.bootApplications),
            images("drivers", "drivers", boot.drivers),
            Claim(
                "uki_sections", "UKI sections",
                .list(
                    boot.ukiSections.map {
                        .object([
                            Claim("name", nil, .text($0.name)),
                            Claim("digests", nil, digests($0.digests)),
                        ])
                    }), list(boot.ukiSections.map { "\($0.name) \(best($0.digests))" })),
            Claim("phases", "phases", .texts(boot.phases)),
            Claim(
                "command_lines", "command lines",
                .list(
                    boot.commandLines.map {
                        .object([
                            Claim("source", nil, .text($0.source.rawValue)),
                            Claim("text", nil, $0.text.map(ClaimValue.text) ?? .none),
                            Claim("digests", nil, digests($0.digests)),
                        ])
                    }),
                list(
                    boot.commandLines.map {
                        "\($0.source.rawValue): \($0.text ?? "only its digest")"
                    })),
            Claim(
                "unexplained", "unexplained",
                .list(
                    boot.unexplained.map {
                        .object([
                            Claim("event", nil, .number(UInt64($0.index))),
                            Claim("register", nil, .number(UInt64($0.register))),
                            Claim("reason", nil, .text($0.reason.rawValue)),
                        ])
                    }),
                list(boot.unexplained.map { "event \($0.index): \($0.reason.rawValue)" })),
        ]
    }

    private static func images(
        _ name: String, _ title: String, _ images: [BootFacts.Image]
    ) -> Claim {
        Claim(
            name, title,
            .list(images.map { .object([Claim("digests", nil, digests($0.digests))]) }),
            list(images.map { best($0.digests) }))
    }

    private static func digests(_ digests: [HashAlgorithm: [UInt8]]) -> ClaimValue {
        .object(
            digests.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                Claim($0.key.rawValue, nil, .text(Hex.encode($0.value)))
            })
    }

    /// The longest one, for people.
    private static func best(_ digests: [HashAlgorithm: [UInt8]]) -> String {
        digests.max { $0.key.size < $1.key.size }
            .map { "\($0.key.rawValue):\(Hex.encode($0.value))" } ?? "no digest"
    }

    private static func list(_ texts: [String]) -> String {
        texts.isEmpty ? "none" : texts.joined(separator: ", ")
    }
}
