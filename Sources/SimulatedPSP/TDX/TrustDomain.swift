import Bytes

/// One launched trust domain: what its TDX module has measured of it.
struct TrustDomain {
    /// TDATTRIBUTES; bit 28 is SEPT_VE_DISABLE.
    var attributes: UInt64 = 1 << 28
    /// XFAM: x87, SSE, AVX, AVX-512, PKRU.
    var xfam: UInt64 = 0x2e7
    var mrTD = FixedBytes<48>()
    var mrConfigID = FixedBytes<48>()
    var mrOwner = FixedBytes<48>()
    var mrOwnerConfig = FixedBytes<48>()
    var rtmr = [FixedBytes<48>](repeating: FixedBytes(), count: 4)
    /// MRSERVICETD, of TDX 1.5.
    var mrServiceTD = FixedBytes<48>()

    /// What an agent extends RTMR3 with at hand-over.
    static let handOver = Array("bootgate end".utf8)

    /// TDG.MR.RTMR.EXTEND: SHA-384(old || digest).
    mutating func extend(_ index: Int, with digest: [UInt8], hashing: some Hashing) {
        rtmr[index] = hashing.sha384(rtmr[index].bytes + digest)
    }
}

/// The versions of the TDX module's interface, which give bodies of two sizes.
enum TDXGeneration: String, CaseIterable {
    /// TDX 1.0: 584 bytes, body type 2.
    case v1_0 = "1.0"
    /// TDX 1.5: 648 bytes, body type 3.
    case v1_5 = "1.5"

    /// As a version 5 quote names it.
    var bodyType: UInt16 { self == .v1_0 ? 2 : 3 }
}

extension TrustDomain {
    /// TD_QUOTE_BODY, 584 or 648 bytes.
    ///
    /// Layout: Intel, TDX DCAP Quoting Library API, appendix 3, "TD Quote Body".
    func body(
        _ generation: TDXGeneration, on platform: TDXPlatform, reportData: [UInt8],
        hashing: some Hashing
    ) -> [UInt8] {
        var body = ByteWriter()
        body.fixed(platform.teeTCBSVN)
        body.fixed(platform.mrSEAM(hashing: hashing))
        body.zeros(48)  // MRSIGNERSEAM: Intel
        body.zeros(8)  // SEAMATTRIBUTES
        body.littleEndian(attributes)
        body.littleEndian(xfam)
        for register in [mrTD, mrConfigID, mrOwner, mrOwnerConfig] + rtmr { body.fixed(register) }
        body.raw(reportData)
        if generation == .v1_5 {
            body.fixed(platform.teeTCBSVN)  // TEE_TCB_SVN_2: no update since the TD began
            body.fixed(mrServiceTD)
        }
        return body.bytes
    }

    /// TDREPORT_STRUCT, 1024 bytes, with the MAC that only this machine can check.
    ///
    /// Layout: Intel TDX Module Base Architecture Specification, section "TDREPORT_STRUCT".
    func report(
        _ generation: TDXGeneration, on platform: TDXPlatform, reportData: [UInt8],
        hashing: some Hashing, mac: ([UInt8]) -> FixedBytes<32>
    ) -> [UInt8] {
        let isNewer = generation == .v1_5
        var tee = ByteWriter()
        tee.littleEndian(UInt64(isNewer ? 0x301ff : 0x1ff))  // VALID
        tee.fixed(platform.teeTCBSVN)
        tee.fixed(platform.mrSEAM(hashing: hashing))
        tee.zeros(48 + 8)
        if isNewer { tee.fixed(platform.teeTCBSVN) }
        tee.zeros(239 - tee.bytes.count)
        var domain = ByteWriter()
        domain.littleEndian(attributes)
        domain.littleEndian(xfam)
        for register in [mrTD, mrConfigID, mrOwner, mrOwnerConfig] + rtmr {
            domain.fixed(register)
        }
        if isNewer { domain.fixed(mrServiceTD) }
        domain.zeros(512 - domain.bytes.count)
        var head = ByteWriter()
        head.raw([0x81, 0, isNewer ? 1 : 0, 0])  // REPORTTYPE: TDX
        head.zeros(12)
        head.raw(platform.components)  // CPUSVN
        head.fixed(hashing.sha384(tee.bytes))
        head.fixed(hashing.sha384(domain.bytes))
        head.raw(reportData)
        head.zeros(32)
        let code = mac(head.bytes)
        head.fixed(code)
        return head.bytes + tee.bytes + [UInt8](repeating: 0, count: 17) + domain.bytes
    }
}
