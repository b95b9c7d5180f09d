public import Bytes

/// What a snapshot says beside files and packages, and Cosmian's snapshots say too.
///
/// Names of members are Cosmian's (crate/client/src/snapshot.rs). A value that is nil was not recorded, and
/// is not compared.
public struct SnapshotHeader: Equatable, Sendable {
    /// Whose cloud it was: `AWS`, `Azure`, `GCP`. A hint.
    public var cloudType: String?
    /// What the processor said of the VM.
    public var teePolicy: TEEPolicy?
    /// What the TPM said of the boot.
    public var tpmPolicy: TPMPolicy?

    /// Nothing recorded, unless given.
    public init(
        cloudType: String? = nil, teePolicy: TEEPolicy? = nil, tpmPolicy: TPMPolicy? = nil
    ) {
        self.cloudType = cloudType
        self.teePolicy = teePolicy
        self.tpmPolicy = tpmPolicy
    }

    /// The values of one kind of processor.
    public enum TEEPolicy: Equatable, Sendable {
        /// `Sev`.
        case snp(SNPPolicy)
        /// `Tdx`.
        case tdx(TDXPolicy)
    }

    /// Values of an SNP attestation report (crate/sev_quote/src/policy.rs).
    public struct SNPPolicy: Equatable, Sendable {
        /// MEASUREMENT.
        public var measurement: FixedBytes<48>?
        /// REPORT_DATA of the report that the snapshot was made with; it is another one in each report.
        public var reportData: FixedBytes<64>?
        /// FAMILY_ID.
        public var familyID: FixedBytes<16>?
        /// IMAGE_ID.
        public var imageID: FixedBytes<16>?
        /// GUEST_SVN.
        public var guestSVN: UInt32?
        /// ID_KEY_DIGEST.
        public var idKeyDigest: FixedBytes<48>?
        /// AUTHOR_KEY_DIGEST.
        public var authorKeyDigest: FixedBytes<48>?
        /// POLICY, the bits of ``GuestPolicy``.
        public var policy: UInt64?
        /// REPORT_ID, which is another one after each launch.
        public var reportID: FixedBytes<32>?
        /// REPORT_ID_MA.
        public var reportIDMA: FixedBytes<32>?

        /// Nothing recorded.
        public init() {}
    }

    /// Values of a TDX quote (crate/tdx_quote/src/policy.rs); it has no RTMRs.
    public struct TDXPolicy: Equatable, Sendable {
        /// The lowest SVN of the quoting enclave.
        public var minimumQESVN: UInt16?
        /// The lowest SVN of the provisioning enclave.
        public var minimumPCESVN: UInt16?
        /// QE_VENDOR_ID.
        public var qeVendorID: FixedBytes<16>?
        /// The lowest TEE_TCB_SVN, byte by byte.
        public var minimumTEETCBSVN: FixedBytes<16>?
        /// MRSEAM.
        public var mrSeam: FixedBytes<48>?
        /// TDATTRIBUTES.
        public var tdAttributes: FixedBytes<8>?
        /// XFAM.
        public var xfam: UInt64?
        /// MRTD.
        public var mrTD: FixedBytes<48>?
        /// MRCONFIGID.
        public var mrConfigID: FixedBytes<48>?
        /// MROWNER.
        public var mrOwner: FixedBytes<48>?
        /// MROWNERCONFIG.
        public var mrOwnerConfig: FixedBytes<48>?
        /// REPORTDATA of the quote that the snapshot was made with; it is another one in each quote.
        public var reportData: FixedBytes<64>?

        /// Nothing recorded.
        public init() {}
    }

    /// The counters of TPMS_CLOCK_INFO (crate/tpm_quote/src/policy.rs).
    public struct TPMPolicy: Equatable, Sendable {
        /// How often the TPM was reset: counts boots.
        public var resetCount: UInt32?
        /// How often it was restarted: counts resumptions.
        public var restartCount: UInt32?

        /// Wraps both.
        public init(resetCount: UInt32? = nil, restartCount: UInt32? = nil) {
            self.resetCount = resetCount
            self.restartCount = restartCount
        }
    }
}
