import Bytes
import Evidence
import TestSupport
import Testing

@Suite("TDX quote")
struct TDXQuoteTests {
    @Test(
        "reads every field of a golden quote",
        arguments: ["tdx-quote-v4", "tdx-quote-v5-td10", "tdx-quote-v5-td15"])
    func golden(name: String) throws {
        let vector = try GoldenVector("\(name).txt")
        let quote = try TDXQuote(parsing: vector.bytes)
        let body = quote.body
        var fields = [
            "source": vector.fields["source"] ?? "", "spec": vector.fields["spec"] ?? "",
            "VERSION": "\(quote.header.version)", "QE_SVN": "\(quote.header.qeSVN)",
            "PCE_SVN": "\(quote.header.pceSVN)", "USER_DATA": quote.header.userData.hex,
            "TEE_TCB_SVN": body.teeTCBSVN.hex, "MRSEAM": body.mrSEAM.hex,
            "MRSIGNERSEAM": body.mrSignerSEAM.hex, "SEAMATTRIBUTES": body.seamAttributes.hex,
            "TDATTRIBUTES": String(body.tdAttributes.rawValue, radix: 16),
            "XFAM": String(body.xfam, radix: 16), "MRTD": body.mrTD.hex,
            "MRCONFIGID": body.mrConfigID.hex, "MROWNER": body.mrOwner.hex,
            "MROWNERCONFIG": body.mrOwnerConfig.hex, "REPORTDATA": body.reportData.hex,
            "CPUSVN": quote.qeReport.cpuSVN.hex, "MISCSELECT": quote.qeReport.miscSelect.hex,
            "ATTRIBUTES": quote.qeReport.attributes.hex,
            "MRENCLAVE": quote.qeReport.mrEnclave.hex, "MRSIGNER": quote.qeReport.mrSigner.hex,
            "QE_REPORTDATA": quote.qeReport.reportData.hex,
            "ISVPRODID": "\(quote.qeReport.productID)", "ISVSVN": "\(quote.qeReport.svn)",
            "AUTHENTICATION_DATA": Hex.encode(quote.qeAuthenticationData),
            "CHAIN": Hex.encode(quote.pckChain), "QE_SIGNATURE": quote.qeReportSignature.hex,
            "SIGNATURE": quote.signature.hex, "ATTESTATION_KEY": quote.attestationKey.hex,
        ]
        for (index, register) in body.rtmr.enumerated() { fields["RTMR\(index)"] = register.hex }
        fields["TEE_TCB_SVN_2"] = body.teeTCBSVN2?.hex
        fields["MRSERVICETD"] = body.mrServiceTD?.hex
        #expect(fields == vector.fields)
        let signed = name == "tdx-quote-v4" ? 632 : name == "tdx-quote-v5-td10" ? 638 : 702
        #expect(quote.signedBytes == Array(vector.bytes.prefix(signed)))
        #expect(
            try TDReportBody(
                parsing: Array(quote.signedBytes.dropFirst(signed - (signed == 702 ? 648 : 584))))
                == body)
    }

    @Test(
        "is refused at every shorter length",
        arguments: [(4, 2), (5, 2), (5, 3)] as [(UInt16, UInt16)])
    func truncations(version: UInt16, type: UInt16) {
        let bytes = TDXQuoteBuilder(version: version, bodyType: type).bytes
        for length in 0..<bytes.count {
            #expect(throws: ParseError.self, "\(length) bytes") {
                try TDXQuote(parsing: Array(bytes.prefix(length)))
            }
        }
        #expect(throws: Never.self) { try TDXQuote(parsing: bytes) }
    }

    @Test("only zero bytes may follow, unless the caller wants to pass over anything")
    func trailers() throws {
        var builder = TDXQuoteBuilder()
        builder.trailer = [UInt8](repeating: 0, count: 3065)
        let padded = try TDXQuote(parsing: builder.bytes)
        builder.trailer[3064] = 1
        #expect(refusal(builder) == "bytes behind the TDX quote: reserved, must be zero")
        #expect(try TDXQuote(parsing: builder.bytes, trailer: .anything) == padded)
        builder.trailer = [UInt8](repeating: 0, count: 64 << 10)
        #expect(refusal(builder)?.hasPrefix("TDX quote: length") == true)
        #expect(throws: ParseError.self) {
            try TDXQuote(parsing: builder.bytes, trailer: .anything)
        }
    }

    @Test("quotes of SGX, bare reports and unknown versions are refused by name")
    func otherKinds() {
        var sgx = TDXQuoteBuilder()
        sgx.header[4] = 0
        #expect(refusal(sgx) == "TEE_TYPE: is an SGX quote, must be a TDX quote (0x81)")
        #expect(TDXQuote.claimedTEE(sgx.bytes) == .sgx)
        sgx.header.replaceSubrange(0..<8, with: [3, 0, 2, 0, 0, 0, 0, 0])
        #expect(refusal(sgx) == "TEE_TYPE: is an SGX quote, must be a TDX quote (0x81)")
        var body = TDXQuoteBuilder(version: 5)
        body.bodyType = 1
        #expect(refusal(body) == "BODY_TYPE: is 1 (SGX), must be 2 or 3 (TDX)")
        body.bodyType = 4
        #expect(refusal(body) == "BODY_TYPE: is 4, must be 2 or 3")
        body.bodyType = 3
        #expect(refusal(body) == "BODY_SIZE: is 584, must be 648 for type 3")
        for version: UInt8 in [0, 1, 2, 6, 255] {
            var other = TDXQuoteBuilder()
            other.header[0] = version
            #expect(refusal(other) == "VERSION: is \(version), must be 4 or 5")
            #expect(TDXQuote.claimedTEE(other.bytes) == nil)
        }
        let report = [0x81] + [UInt8](repeating: 0, count: 1023)
        #expect(
            throws: ParseError.invalid(
                field: "VERSION",
                rule: "this is a TDREPORT, which only its own machine can verify; must be a quote")
        ) { try TDXQuote(parsing: report) }
    }

    @Test("other keys, vendors, certification data and reserved fields are refused")
    func fields() {
        func changed(_ change: (inout TDXQuoteBuilder) -> Void, version: UInt16 = 4) -> String? {
            var builder = TDXQuoteBuilder(version: version)
            change(&builder)
            return refusal(builder)
        }
        #expect(changed { $0.header[2] = 3 } == "ATT_KEY_TYPE: is 3, must be 2 (ECDSA P-256)")
        #expect(changed { $0.header[6] = 1 } == "TEE_TYPE: is 65665, must be 129 (TDX)")
        #expect(changed { $0.header[12] ^= 1 } == "QE_VENDOR_ID: must be Intel's")
        #expect(changed { $0.header[8] = 1 } == nil)
        for index in 8..<12 {
            #expect(
                changed({ $0.header[index] = 1 }, version: 5)
                    == "RESERVED (0x08): reserved, must be zero")
        }
        for type: UInt16 in [0, 1, 2, 3, 4, 5, 7, 8] {
            #expect(
                changed { $0.certificationTypes.outer = type }?
                    .hasPrefix("certification data type: is \(type) (") == true)
        }
        for type: UInt16 in [0, 1, 2, 3, 4, 6, 7, 8] {
            #expect(
                changed { $0.certificationTypes.inner = type }?
                    .hasPrefix("certification data type: is \(type) (") == true)
        }
        for (range, name) in [
            (0x14..<0x20, "0x014"), (0x60..<0x80, "0x060"), (0xa0..<0xc0, "0x0A0"),
            (0x106..<0x130, "0x106"),
        ] {
            for index in range {
                #expect(
                    changed { $0.qeReport[index] = 1 }
                        == "QE report RESERVED (\(name)): reserved, must be zero")
            }
        }
        let reserved = [1, 2, 3, 7, 8, 15, 17, 26, 32, 61]
        for bit in 0..<64 {
            let refused = changed { $0.set(.tdAttributes, bits(1 << bit)) } != nil
            let isReserved =
                reserved.contains(bit) || (8...15).contains(bit) || (17...26).contains(bit)
                || (32...61).contains(bit)
            #expect(refused == isReserved, "bit \(bit)")
        }
        #expect(
            changed { $0.authenticationData = Array(repeating: 0, count: 4097) }?
                .hasPrefix("QE authentication data: length") == true)
        #expect(changed { $0.authenticationData = [] } == nil)
    }

    @Test("a length that does not fit the part around it is refused")
    func lengths() {
        let good = TDXQuoteBuilder()
        let offsets = [632, 632 + 4 + 128 + 2, good.bytes.count - good.chain.count - 4]
        for offset in offsets {
            for value: [UInt8] in [[0, 0, 0, 0], [255, 255, 255, 255], [255, 255, 255, 127]] {
                var bytes = good.bytes
                bytes.replaceSubrange(offset..<offset + 4, with: value)
                // An empty chain leaves its bytes behind in the part around it.
                #expect(throws: ParseError.self) { try TDXQuote(parsing: bytes) }
            }
            for delta in [1, -1] {
                var bytes = good.bytes
                bytes[offset] = UInt8(truncatingIfNeeded: Int(bytes[offset]) + delta)
                #expect(throws: ParseError.self) { try TDXQuote(parsing: bytes + [0, 0]) }
            }
        }
    }

    @Test("attributes have the meaning of their bits")
    func attributes() {
        #expect(TDAttributes(rawValue: 1).allowsDebug && TDAttributes(rawValue: 1).isUntrusted)
        #expect(TDAttributes(rawValue: 0x20).isUntrusted)
        #expect(!TDAttributes(rawValue: 0x20).allowsDebug)
        #expect(!TDAttributes(rawValue: 0x100).isUntrusted)
        #expect(TDAttributes(rawValue: 1 << 28).disablesSEPTExceptions)
        #expect(TDAttributes(rawValue: 1 << 29).allowsMigration)
        #expect(TDAttributes(rawValue: 1 << 63).allowsPerformanceMonitoring)
    }

    private func bits(_ value: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.littleEndian(value)
        return writer.bytes
    }

    private func refusal(_ builder: TDXQuoteBuilder) -> String? {
        do throws(ParseError) {
            _ = try TDXQuote(parsing: builder.bytes)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
