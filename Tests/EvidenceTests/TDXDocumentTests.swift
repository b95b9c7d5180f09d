import Bytes
import Evidence
import TestSupport
import Testing

@Suite("Intel's documents about TDX platforms")
struct TDXDocumentTests {
    @Test("reads every field of a TCB info")
    func tcbInfo() throws {
        var builder = TCBInfoBuilder()
        builder.identities = [
            .init(id: "TDX_03", levels: [SVNLevelText(3)]),
            .init(
                id: "TDX_0a",
                levels: [SVNLevelText(6), SVNLevelText(2, status: "Revoked", advisories: ["A-1"])]),
        ]
        builder.module.attributesMask = "ff00000000000001"
        builder.more = ",\"added\":{\"later\":[1]}"
        let info = try TCBInfo(parsing: builder.text)
        #expect(info.issueDate == ISO8601.time("2026-11-01T00:00:00Z"))
        #expect(info.nextUpdate == ISO8601.time("2026-12-01T00:00:00Z"))
        #expect(info.fmspc.hex == "90c06f000000" && info.pceID.hex == "0000")
        #expect(info.evaluationNumber == 18)
        #expect(info.module.mrSigner.isZero && info.module.attributes.isZero)
        #expect(info.module.attributesMask.hex == "ff00000000000001")
        #expect(info.moduleIdentities.map(\.majorVersion) == [3, 10])
        #expect(info.moduleIdentities[1].levels.map(\.svn) == [6, 2])
        #expect(info.moduleIdentities[1].levels[1].status == .revoked)
        #expect(info.moduleIdentities[1].levels[1].advisories == ["A-1"])
        #expect(info.levels.count == 2)
        #expect(info.levels[0].sgxComponents == [UInt8](repeating: 4, count: 16))
        #expect(info.levels[0].tdxComponents.prefix(3) == [5, 0, 7])
        #expect(info.levels[0].pceSVN == 11)
        #expect(info.levels[0].date == ISO8601.time("2024-03-13T00:00:00Z"))
        #expect(info.levels[0].status == .upToDate && info.levels[0].advisories.isEmpty)
        #expect(info.levels[1].status == .outOfDate)
        #expect(info.levels[1].advisories == ["INTEL-SA-00001"])
        builder.identities = nil
        #expect(try TCBInfo(parsing: builder.text).moduleIdentities.isEmpty)
    }

    @Test("a TCB info with any field out of its form is refused")
    func wrongTCBInfo() {
        let changes: [(inout TCBInfoBuilder) -> Void] = [
            { $0.id = "SGX" }, { $0.version = 2 }, { $0.version = 4 }, { $0.type = 1 },
            { $0.issueDate = "2026-11-01" }, { $0.nextUpdate = "never" },
            { $0.nextUpdate = "2026-10-31T23:59:59Z" }, { $0.fmspc = "90C06F0000" },
            { $0.fmspc = "90C06F00000G" }, { $0.pceID = "000" }, { $0.pceID = "000000" },
            { $0.evaluationNumber = "-1" }, { $0.evaluationNumber = "1.5" },
            { $0.evaluationNumber = "\"18\"" }, { $0.module.mrSigner = "00" },
            { $0.module.attributes = "00" }, { $0.module.attributesMask = "" },
            { $0.identities?[0].id = "TDX_1" }, { $0.identities?[0].id = "QE_01" },
            { $0.identities?[0].id = "TDX_0x" }, { $0.identities?[0].levels = [] },
            { $0.identities?.append(.init(id: "TDX_01")) },
            { $0.identities?[0].levels[0].svn = 65536 },
            { $0.identities?[0].levels[0].svn = -1 },
            { $0.identities?[0].levels[0].status = "" },
            { $0.levels = [] }, { $0.levels[0].sgx.removeLast() }, { $0.levels[0].tdx.append(0) },
            { $0.levels[0].sgx[3] = 256 }, { $0.levels[0].tdx[3] = -1 },
            { $0.levels[0].pceSVN = 65536 }, { $0.levels[0].date = "yesterday" },
            { $0.levels[0].status = "Fine" }, { $0.levels[0].status = "uptodate" },
            { $0.levels[1].advisories = ["a b"] }, { $0.levels[1].advisories = [""] },
            { $0.levels[1].advisories = [String(repeating: "A", count: 65)] },
            { $0.levels = Array(repeating: $0.levels[0], count: 257) },
            { $0.more = ",\"id\":\"TDX\"" }, { $0.more = "}" },
        ]
        for (index, change) in changes.enumerated() {
            var builder = TCBInfoBuilder()
            change(&builder)
            #expect(throws: ParseError.self, "change \(index)") {
                try TCBInfo(parsing: builder.text)
            }
        }
        let good = TCBInfoBuilder().text
        for length in 0..<good.count {
            #expect(throws: ParseError.self) { try TCBInfo(parsing: Array(good.prefix(length))) }
        }
        #expect(throws: ParseError.self) { try TCBInfo(parsing: good + [0]) }
        #expect(throws: ParseError.self) {
            try TCBInfo(parsing: good + [UInt8](repeating: 0x20, count: 256 << 10))
        }
    }

    @Test("reads every field of an enclave identity, and refuses any out of its form")
    func qeIdentity() throws {
        let identity = try QEIdentity(parsing: QEIdentityBuilder().text)
        #expect(identity.issueDate == ISO8601.time("2026-11-01T00:00:00Z"))
        #expect(identity.nextUpdate == ISO8601.time("2026-12-01T00:00:00Z"))
        #expect(identity.evaluationNumber == 18)
        #expect(identity.miscSelect.isZero && identity.miscSelectMask.hex == "ffffffff")
        #expect(identity.attributes.hex == "11000000000000000000000000000000")
        #expect(identity.attributesMask.hex == "fbffffffffffffff0000000000000000")
        #expect(identity.mrSigner.hex == String(repeating: "dc", count: 32))
        #expect(identity.productID == 2 && identity.levels.map(\.svn) == [6, 4])
        #expect(identity.levels.map(\.status) == [.upToDate, .outOfDate])
        let changes: [(inout QEIdentityBuilder) -> Void] = [
            { $0.id = "QE" }, { $0.id = "TD_QE2" }, { $0.version = 1 }, { $0.version = 3 },
            { $0.issueDate = "" }, { $0.nextUpdate = "2020-01-01T00:00:00Z" },
            { $0.miscSelect = "0000000" }, { $0.miscSelectMask = "0000000000" },
            { $0.attributes = "11" }, { $0.attributesMask = "x" }, { $0.mrSigner = "DC" },
            { $0.productID = 65536 }, { $0.productID = -1 }, { $0.levels = [] },
            { $0.levels[0].status = "?" }, { $0.levels[0].svn = 70000 },
        ]
        for (index, change) in changes.enumerated() {
            var builder = QEIdentityBuilder()
            change(&builder)
            #expect(throws: ParseError.self, "change \(index)") {
                try QEIdentity(parsing: builder.text)
            }
        }
    }

    @Test("the signed text is cut out of an answer byte by byte")
    func signedText() throws {
        let inner = #"{ "a": [1, {"b": "}],\"" }] ,"c":null }"#
        for answer in [
            #"{"tcbInfo":\#(inner),"signature":"0aFF"}"#,
            "\n { \"signature\" : \"0aff\" ,\r\n \"tcbInfo\"\t: \(inner) \n} ",
        ] {
            let signed = try SignedJSON(answer: Array(answer.utf8), member: "tcbInfo")
            #expect(signed.text == Array(inner.utf8))
            #expect(signed.signature == [0x0a, 0xff])
        }
        for answer in [
            #"{"tcbInfo":{}}"#, #"{"signature":"00"}"#, #"{"tcbInfo":{},"signature":"0"}"#,
            #"{"tcbInfo":{},"signature":7}"#, #"{"tcbInfo":{},"signature":"00","more":1}"#,
            #"{"tcbInfo":{},"tcbInfo":{},"signature":"00"}"#, "[]", "", "{}",
            #"{"tcbInfo":{},"signature":"00"}x"#, #"{"enclaveIdentity":{},"signature":"00"}"#,
            #"{"tcb\u0049nfo":{},"signature":"00"}"#,
        ] {
            #expect(throws: ParseError.self, "\(answer)") {
                try SignedJSON(answer: Array(answer.utf8), member: "tcbInfo")
            }
        }
    }

    @Test("collateral in one file comes back as it was written")
    func collateral() throws {
        let collateral = TDXCollateral(
            tcbInfo: SignedJSON(text: TCBInfoBuilder().text, signature: [1, 2]),
            tcbInfoIssuerChain: Array("a\nb\r\t\u{1}\\".utf8),
            qeIdentity: SignedJSON(text: QEIdentityBuilder().text, signature: [3]),
            qeIdentityIssuerChain: Array("c".utf8), pckCRL: [0x30, 0],
            pckCRLIssuerChain: Array("d".utf8), rootCACRL: [0x30, 1, 9])
        #expect(try TDXCollateral(json: collateral.json) == collateral)
        let text = String(decoding: collateral.json, as: UTF8.self)
        for name in ["tcb_info", "qe_identity_signature", "root_ca_crl"] {
            let renamed = text.replacing("\"\(name)\":", with: "\"other\":")
            #expect(throws: ParseError.self) { try TDXCollateral(json: Array(renamed.utf8)) }
        }
        for length in stride(from: 0, to: collateral.json.count - 1, by: 11) {
            #expect(throws: ParseError.self) {
                try TDXCollateral(json: Array(collateral.json.prefix(length)))
            }
        }
        #expect(throws: ParseError.self) {
            try TDXCollateral(json: Array(text.replacing("\"0102\"", with: "\"010\"").utf8))
        }
        #expect(throws: ParseError.self) {
            try TDXCollateral(json: [UInt8](repeating: 0x20, count: 4 << 20 + 1))
        }
        #expect(
            try TDXCollateral(
                tcbInfoResponse: Array("{\"tcbInfo\":{},\"signature\":\"01\"}".utf8),
                tcbInfoIssuerChain: [1],
                qeIdentityResponse: Array("{\"enclaveIdentity\":{ },\"signature\":\"02\"}".utf8),
                qeIdentityIssuerChain: [2], pckCRL: [3], pckCRLIssuerChain: [4], rootCACRL: [5]
            ).qeIdentity == SignedJSON(text: Array("{ }".utf8), signature: [2]))
    }

    @Test("reads a PCK certificate's extension, and refuses any element out of its form")
    func pckExtension() throws {
        var builder = PCKExtensionBuilder()
        builder.components[2] = 200
        builder.more = [
            (6, PCKExtensionBuilder.element(0x04, [UInt8](repeating: 7, count: 16))),
            (9, [0x05, 0]),
        ]
        let value = try PCKExtension(parsing: builder.der)
        #expect(value.components.prefix(4) == [4, 4, 200, 4] && value.components.count == 16)
        #expect(value.pceSVN == 11 && value.pceID.hex == "0000" && value.sgxType == 1)
        #expect(value.fmspc.hex == "90c06f000000")
        #expect(value.ppid.bytes == [UInt8](repeating: 0x99, count: 16))
        #expect(value.cpuSVN.bytes == value.components)
        #expect(value.platformInstanceID?.bytes == [UInt8](repeating: 7, count: 16))
        #expect(value.isDynamicPlatform == nil)
        for length in 0..<builder.der.count {
            #expect(throws: ParseError.self) {
                try PCKExtension(parsing: Array(builder.der.prefix(length)))
            }
        }
        for number in Array(1...5) + Array(201...218) {
            var other = PCKExtensionBuilder()
            other.without = [number]
            #expect(throws: ParseError.self, "without \(number)") {
                try PCKExtension(parsing: other.der)
            }
        }
        let changes: [(inout PCKExtensionBuilder) -> Void] = [
            { $0.components[7] = 256 }, { $0.pceSVN = 65536 }, { $0.pceID = [0] },
            { $0.fmspc.append(0) }, { $0.components.append(0) },
            { $0.more = [(4, PCKExtensionBuilder.element(0x04, [0, 0, 0, 0, 0, 0]))] },
            { $0.more = [(6, PCKExtensionBuilder.element(0x04, [1]))] },
            { $0.more = [(7, [0x05, 0])] },
        ]
        for (index, change) in changes.enumerated() {
            var other = PCKExtensionBuilder()
            change(&other)
            #expect(throws: ParseError.self, "change \(index)") {
                try PCKExtension(parsing: other.der)
            }
        }
        #expect(throws: ParseError.self) { try PCKExtension(parsing: builder.der + [0]) }
    }

    @Test("numbers and lengths of the extension have one encoding, all others are refused by name")
    func pckExtensionIsDER() throws {
        // PCESVN, as element 17 of the TCB, in forms that BER takes.
        let changes: [(value: [UInt8], rule: String)] = [
            ([0x02, 1, 0xff], "not negative"), ([0x02, 2, 0x80, 0], "not negative"),
            ([0x02, 0], "not negative"), ([0x02, 2, 0, 11], "padded"),
            ([0x02, 3, 0, 0, 0x80], "padded"), ([0x02, 0x81, 1, 11], "shortest form"),
            ([0x02, 0x82, 0, 1, 11], "shortest form"), ([0x02, 0x80, 11, 0, 0], "definite"),
            ([0x02, 0x83, 0, 0, 1, 11], "definite"), ([0x22, 3, 0x02, 1, 11], "tag"),
            ([0x0a, 1, 11], "tag"), ([0x02, 1, 11, 0], "bytes follow"),
        ]
        let arc: [UInt8] = [0x06, 11, 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 13, 1, 2, 17]
        let element = PCKExtensionBuilder.element
        let whole = PCKExtensionBuilder().der
        for (value, rule) in changes {
            var builder = PCKExtensionBuilder()
            builder.without = [217]
            builder.moreTCB = element(0x30, arc + value)
            do {
                _ = try PCKExtension(parsing: builder.der)
                Issue.record("\(value) is taken")
            } catch {
                #expect("\(error)".contains(rule), "\(value): \(error)")
            }
        }
        #expect(throws: ParseError.self) {
            try PCKExtension(parsing: [0x30, 0x80] + whole.dropFirst(4) + [0, 0])
        }
        #expect(throws: ParseError.self) {
            try PCKExtension(parsing: [UInt8](repeating: 0x30, count: 100 << 20))
        }
    }

    @Test("statuses are put together as Intel's library does")
    func statuses() {
        let known: [(TCBStatus, TCBStatus, TCBStatus)] = [
            (.upToDate, .upToDate, .upToDate), (.upToDate, .outOfDate, .outOfDate),
            (.swHardeningNeeded, .outOfDate, .outOfDate),
            (.configurationNeeded, .outOfDate, .outOfDateConfigurationNeeded),
            (.configurationAndSWHardeningNeeded, .outOfDate, .outOfDateConfigurationNeeded),
            (.outOfDateConfigurationNeeded, .outOfDate, .outOfDateConfigurationNeeded),
            (.outOfDateConfigurationNeeded, .upToDate, .outOfDateConfigurationNeeded),
            (.swHardeningNeeded, .configurationNeeded, .configurationAndSWHardeningNeeded),
            (.revoked, .upToDate, .revoked), (.outOfDate, .revoked, .revoked),
        ]
        for (left, right, result) in known {
            #expect(left.combined(with: right) == result)
            #expect(right.combined(with: left) == result)
        }
        for left in TCBStatus.allCases {
            #expect(left.combined(with: left) == left)
            for right in TCBStatus.allCases {
                #expect(left.combined(with: right) >= max(left, right))
                #expect(left.combined(with: right) == right.combined(with: left))
            }
        }
    }
}
