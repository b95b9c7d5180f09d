/// Where things lie in the mailbox that the guest's `tsm_sim` module (or the lab's FUSE bridge)
/// shares with this process. All integers are little-endian.
///
/// One exchange: the guest fills `operation`, what that takes, `inputLength` and `input`, then raises
/// `request` by one; the simulator fills the outputs and `status`, then copies `request` into
/// `response`. docs/simulated-psp.md describes it for people; this file and `lab/tsm_sim` must agree.
enum MailboxLayout {
    /// Bytes in the whole file: 256 KiB, a power of two as `ivshmem-plain` wants it.
    static let size = 0x40000

    /// u32, raised by the guest for each exchange.
    static let request = 0x00
    /// u32, the last request that was answered.
    static let response = 0x04
    /// u32: `providerMagic` in the upper half, the provider in the lower.
    static let provider = 0x08
    /// u32, the VMPL that the guest asks for; SNP only.
    static let privilegeLevel = 0x0c
    /// u32, bytes in `input`.
    static let inputLength = 0x10
    /// u32, bytes in `output`.
    static let outputLength = 0x14
    /// u32, bytes in `auxiliary`.
    static let auxiliaryLength = 0x18
    /// u32, bytes in `manifest`.
    static let manifestLength = 0x1c
    /// u32, zero or a positive errno for the guest's `report_new`.
    static let status = 0x20
    /// u32, the lowest VMPL that the guest may ask for (`privlevel_floor`).
    static let privilegeFloor = 0x24
    /// u32, an ``Operation``.
    static let operation = 0x28
    /// u32: of `extend` the register, of `serviceReport` the version of the manifest.
    static let argument = 0x2c
    /// 16 bytes: of `serviceReport` the GUID of the service as UEFI lays it down, or zeros for all.
    static let service = 0x30
    /// 64 bytes: report data, a service's nonce, or a digest of 48 bytes.
    static let input = 0x40
    /// u32, written before the file appears: bit n is set where operation n is answered.
    static let operations = 0x80
    /// The report, up to `blobLimit` bytes (`outblob`).
    static let output = 0x1000
    /// The certificate table, up to `blobLimit` bytes (`auxblob`).
    static let auxiliary = 0x9000
    /// The service manifest, up to `blobLimit` bytes (`manifestblob`).
    static let manifest = 0x11000

    /// Linux's `TSM_INBLOB_MAX`, and the only input length that sev-guest and tdx-guest take.
    static let inputSize = 64
    /// Bytes in what a register is extended with.
    static let digestSize = 48
    /// Linux's `TSM_OUTBLOB_MAX`.
    static let blobLimit = 0x8000

    /// 'T' 'S' as the upper half of `provider`.
    static let providerMagic: UInt32 = 0x5354

    /// The lower half of `provider`.
    enum Provider: UInt32 {
        case sevGuest = 1
        case tdxGuest = 2
    }

    /// What the guest wants.
    enum Operation: UInt32 {
        /// SNP: a report with the certificate table; TDX: a quote.
        case report = 0
        /// TDX: a TDREPORT of 1024 bytes, as TDX_CMD_GET_REPORT0 gives it.
        case localReport = 1
        /// TDX: extend RTMR `argument`, 2 or 3, with 48 bytes; nothing comes back.
        case extend = 2
        /// SVSM: a report of VMPL 0 over nonce and manifest, and the manifest.
        case serviceReport = 3
    }
}
