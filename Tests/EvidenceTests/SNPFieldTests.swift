import Bytes
import Evidence
import Testing

@Suite("Fields of an SNP report")
struct SNPFieldTests {
    @Test(
        "a processor line follows from family and model",
        arguments: [
            (0x19, 0x00, SNPProduct.milan), (0x19, 0x0f, .milan), (0x19, 0x10, .genoa),
            (0x19, 0x1f, .genoa), (0x19, 0x20, nil), (0x19, 0x9f, nil), (0x19, 0xa0, .genoa),
            (0x19, 0xaf, .genoa), (0x19, 0xb0, nil), (0x1a, 0x00, .turin), (0x1a, 0x11, .turin),
            (0x1a, 0x12, nil), (0x17, 0x01, nil),
        ] as [(UInt8, UInt8, SNPProduct?)])
    func product(family: UInt8, model: UInt8, expected: SNPProduct?) {
        #expect(SNPProduct(family: family, model: model) == expected)
    }

    @Test("the parts of a TCB follow from the processor line")
    func tcbLayout() throws {
        let raw = try #require(FixedBytes<8>([1, 2, 3, 4, 5, 6, 7, 8]))
        let milan = TCBVersion(raw: raw, product: .milan)
        #expect(milan.description == "bootloader 1, tee 2, snp 7, microcode 8")
        #expect(milan[.fmc] == nil)
        let turin = TCBVersion(raw: raw, product: .turin)
        #expect(turin.description == "fmc 1, bootloader 2, tee 3, snp 4, microcode 8")
        #expect(turin[.fmc] == 1)
    }

    @Test("each bit of a guest policy has its own meaning")
    func guestPolicy() {
        let meanings: [(Int, (GuestPolicy) -> Bool)] = [
            (16, { $0.allowsSMT }), (18, { $0.allowsMigration }), (19, { $0.allowsDebug }),
            (20, { $0.requiresSingleSocket }), (21, { $0.allowsCXL }),
            (22, { $0.requiresAES256XTS }), (23, { $0.requiresRAPLDisabled }),
            (24, { $0.requiresCiphertextHiding }), (25, { $0.disablesPageSwap }),
        ]
        for (bit, meaning) in meanings {
            let policy = GuestPolicy(rawValue: 1 << bit)
            #expect(meaning(policy))
            #expect(meanings.filter { $0.1(policy) }.count == 1)
            #expect(policy.abiMajor == 0 && policy.abiMinor == 0)
        }
        #expect(GuestPolicy(rawValue: 0x0137).abiMajor == 1)
        #expect(GuestPolicy(rawValue: 0x0137).abiMinor == 0x37)
    }

    @Test("each bit of the platform's set-up has its own meaning")
    func platformInfo() {
        let meanings: [(PlatformInfo) -> Bool] = [
            { $0.hasSMT }, { $0.hasTSME }, { $0.hasECC }, { $0.hasRAPLDisabled },
            { $0.hasCiphertextHiding }, { $0.hasAliasCheck },
        ]
        for bit in 0..<64 {
            let info = PlatformInfo(rawValue: 1 << bit)
            #expect(meanings.indices.filter { meanings[$0](info) } == (bit < 6 ? [bit] : []))
        }
    }
}
