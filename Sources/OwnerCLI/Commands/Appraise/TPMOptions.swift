import ArgumentParser
import Bytes
import Evidence
import OpenSSL
import Policy
import Verification

/// What a TPM's quote is held against, for every command that takes one.
struct PCRValueOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Values of the quoted registers: JSON by bank and number, or tpm2_quote's own file.",
            valueName: "file"), completion: .file())
    var pcrs: String?
    @Option(
        help: ArgumentHelp("What extraData of the TPM's quote has to be.", valueName: "hex"))
    var nonce: String?

    func read() throws(Failure) -> PCRValues? {
        guard let pcrs else { return nil }
        return try Self.values(pcrs, "--pcrs")
    }

    func expectation() throws(Failure) -> TPMQuoteVerifier.Expectation {
        TPMQuoteVerifier.Expectation(
            nonce: try EvidenceFile.bytes(nonce, "--nonce"), nonceIsOptional: nonce == nil)
    }

    static func values(_ path: String, _ option: String) throws(Failure) -> PCRValues {
        let bytes = try EvidenceFile.read(path, option, atMost: 64 << 10)
        let isJSON = bytes.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "{")
        return try EvidenceFile.parse(path, option) { () throws(ParseError) in
            isJSON ? try PCRValues(json: bytes) : try PCRValues(toolsFile: bytes)
        }
    }
}

/// A TPM's quote beside a processor's evidence.
struct TPMBesideOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A TPM's quote beside it: TPMS_ATTEST.", valueName: "file"),
        completion: .file())
    var tpmQuote: String?
    @Option(
        help: ArgumentHelp("Its signature: TPMT_SIGNATURE.", valueName: "file"),
        completion: .file())
    var tpmSignature: String?
    @Option(
        help: ArgumentHelp("The public half of the key that signed it.", valueName: "file"),
        completion: .file())
    var tpmKey: String?
    @Option(
        help: ArgumentHelp(
            "Certificates above that key's own, the nearest first.", valueName: "file"),
        completion: .file())
    var tpmIssuer: [String] = []
    @OptionGroup var values: PCRValueOptions

    /// What came of the quote.
    struct Outcome {
        /// Nil where no quote was given.
        let result: TPMResult?

        var findings: [Finding] { result?.findings ?? [] }
        /// Whether a quote that was given is authentic.
        var holds: Bool { result.map { $0.claims != nil } ?? true }
    }

    func validate() throws {
        let given = [tpmQuote, tpmSignature, tpmKey].filter { $0 != nil }.count
        guard given == 0 || given == 3 else {
            throw ValidationError(
                "--tpm-quote, --tpm-signature and --tpm-key belong together; give all three")
        }
        guard given == 3 || tpmIssuer.isEmpty && values.pcrs == nil && values.nonce == nil else {
            throw ValidationError("--tpm-issuer, --pcrs and --nonce are about a --tpm-quote")
        }
    }

    /// Verifies the quote, if there is one; `trust` is what the processor's evidence says of its key.
    func verify(
        trust: KeyTrustEvidence?, _ roots: RootOptions, at time: Int64
    ) throws(Failure) -> Outcome {
        guard let tpmQuote, let tpmSignature, let tpmKey else { return Outcome(result: nil) }
        let subject = try TPMKeyFile(tpmKey, "--tpm-key")
        let quote = TPMQuoteVerifier.Quote(
            attestation: try TPMQuoteFile.read(tpmQuote, "--tpm-quote"),
            signature: .structure(
                try EvidenceFile.read(tpmSignature, "--tpm-signature", atMost: 64 << 10)),
            values: try values.read())
        let chain = try subject.trust(issuers: tpmIssuer, "--tpm-issuer", key: "--tpm-key")
        return Outcome(
            result: TPMQuoteVerifier(anchors: try roots.attestationKeys()).verify(
                quote, key: subject.key, trust: trust ?? chain,
                expected: try values.expectation(), at: time))
    }
}
