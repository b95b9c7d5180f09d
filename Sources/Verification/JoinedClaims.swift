import Evidence
@_spi(Verified) public import Policy

extension Claims {
    /// What an SNP report says, and what was verified beside it; nil unless the report is authentic.
    ///
    /// A quote or log that was refused adds nothing: its findings refuse the launch by themselves.
    public init?(snp: VerificationResult, tpm: TPMResult?, log: EventLogResult?) {
        guard let hardware = snp.claims?.hardware else { return nil }
        self.init(hardware: hardware, tpm: tpm?.claims, boot: log?.facts)
    }

    /// What a TDX quote says, and what was verified beside it; nil unless the quote is authentic.
    public init?(tdx: TDXResult, tpm: TPMResult?, log: EventLogResult?) {
        guard let claims = tdx.claims else { return nil }
        self.init(hardware: .tdx(claims), tpm: tpm?.claims, boot: log?.facts)
    }

    /// What a paravisor's evidence says, and the log beside it; nil unless all of it is authentic.
    public init?(azure: AzureResult, log: EventLogResult?) {
        guard let claims = azure.claims else { return nil }
        self.init(hardware: claims.hardware, tpm: claims.tpm, boot: log?.facts)
    }
}
