import Bytes
import OpenSSL

/// A simulated TDX machine: what its PCK certificate and its TDX module say of it.
struct TDXPlatform: Equatable {
    /// The family by which the vendor publishes TCB levels.
    var fmspc: FixedBytes<6>
    /// Protected platform ID, and the ID of the instance.
    var ppid: FixedBytes<16>
    /// SVNs of the 16 SGX TCB components.
    var components: [UInt8]
    var pceSVN: UInt16
    /// TEE_TCB_SVN: SVN of the TDX module, its major version, then the other components.
    var teeTCBSVN: FixedBytes<16>
    /// SVN of the quoting enclave.
    var quotingEnclaveSVN: UInt16

    /// Values as current firmware has them.
    init(fmspc: FixedBytes<6>, ppid: FixedBytes<16>) {
        self.fmspc = fmspc
        self.ppid = ppid
        components = [8, 8, 2, 2, 4, 1, 0, 6] + [UInt8](repeating: 0, count: 8)
        pceSVN = 13
        teeTCBSVN = FixedBytes([6, 1, 8] + [UInt8](repeating: 0, count: 13)) ?? FixedBytes()
        quotingEnclaveSVN = 4
    }

    /// The usual FMSPC of the simulator.
    static let usualFMSPC = FixedBytes<6>([0xb0, 0xc0, 0x6f, 0, 0, 0]) ?? FixedBytes()

    /// MRSEAM: the measurement of the TDX module, made from its version.
    func mrSEAM(hashing: some Hashing) -> FixedBytes<48> {
        hashing.sha384(Array("bootgate simulated TDX module".utf8) + teeTCBSVN.bytes.prefix(2))
    }

    /// MRSIGNER of the quoting enclave.
    static func quotingSigner(hashing: some Hashing) -> FixedBytes<32> {
        hashing.sha256(Array("bootgate simulated quoting enclave".utf8))
    }

    /// 1.2.840.113741.1.13.1, "SGX Extensions" of Intel's PCK certificate profile.
    ///
    /// Document: Intel SGX PCK Certificate and CRL Profile Specification, section 1.3.5.
    var certificateExtension: [UInt8] {
        var levels = components.enumerated().map { index, value in
            Self.pair([2, UInt8(index + 1)], DER.integer(UInt16(value)))
        }
        levels.append(Self.pair([2, 17], DER.integer(pceSVN)))
        levels.append(Self.pair([2, 18], DER.octets(components)))
        let configuration = (1...3).map { Self.pair([7, $0], DER.boolean(true)) }
        return DER.sequence([
            Self.pair([1], DER.octets(ppid.bytes)),
            Self.pair([2], DER.sequence(levels)),
            Self.pair([3], DER.octets([0, 0])),
            Self.pair([4], DER.octets(fmspc.bytes)),
            Self.pair([5], DER.enumerated(1)),
            Self.pair([6], DER.octets(ppid.bytes)),
            Self.pair([7], DER.sequence(configuration)),
        ])
    }

    private static let root: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01]

    private static func pair(_ arcs: [UInt8], _ value: [UInt8]) -> [UInt8] {
        DER.sequence([DER.object(root + arcs), value])
    }
}
