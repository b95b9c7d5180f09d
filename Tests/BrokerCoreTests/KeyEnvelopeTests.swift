import BrokerCore
import Bytes
import OpenSSL
import Testing

@Suite("Key envelope")
struct KeyEnvelopeTests {
    let place = KeyEnvelope.Place(vm: "web-1", keyName: "disk", version: 3)

    @Test("a sealed key opens at its place")
    func roundTrip() throws {
        let envelope = KeyEnvelope(wrappingKey: secret(0x77))
        let sealed = try envelope.seal(secret(0x5e), .diskKey, to: place)
        #expect(sealed.count == 1 + 12 + 32 + 16)
        let isTheKey = try envelope.open(sealed, .diskKey, of: place).isEqual(to: secret(0x5e))
        #expect(isTheKey)
    }

    @Test("two seals of one key share no bytes that matter")
    func fresh() throws {
        let envelope = KeyEnvelope(wrappingKey: secret(0x77))
        let first = try envelope.seal(secret(0x5e), .diskKey, to: place)
        let second = try envelope.seal(secret(0x5e), .diskKey, to: place)
        #expect(first[1...12] != second[1...12])
        #expect(first[13...] != second[13...])
    }

    @Test("what docs/broker.md describes opens: an envelope made by another implementation")
    func vector() throws {
        let envelope = KeyEnvelope(wrappingKey: secret(0x77))
        let sealed = try #require(Hex.decode(Self.sealedElsewhere))
        let isTheKey = try envelope.open(sealed, .diskKey, of: place).isEqual(to: secret(0x5e))
        #expect(isTheKey)
    }

    @Test("a sealed key opens nowhere else")
    func elsewhere() throws {
        let envelope = KeyEnvelope(wrappingKey: secret(0x77))
        let sealed = try envelope.seal(secret(0x5e), .diskKey, to: place)
        var places = [place, place, place]
        places[0].vm = "web-2"
        places[1].keyName = "data"
        places[2].version = 2
        for other in places {
            let isOpen = opens(sealed, .diskKey, other, envelope)
            #expect(!isOpen)
        }
        let isOpenForOtherPurpose = opens(sealed, .proofKey, place, envelope)
        #expect(!isOpenForOtherPurpose)
        let isOpenByOtherKey = opens(
            sealed, .diskKey, place, KeyEnvelope(wrappingKey: secret(0x78)))
        #expect(!isOpenByOtherKey)
    }

    @Test("a changed or shortened envelope does not open")
    func damage() throws {
        let envelope = KeyEnvelope(wrappingKey: secret(0x77))
        let sealed = try envelope.seal(secret(0x5e), .diskKey, to: place)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            let isOpen =
                opens(changed, .diskKey, place, envelope)
                || opens(Array(sealed[..<index]), .diskKey, place, envelope)
            #expect(!isOpen, "byte \(index)")
        }
        let isOpenWithMore = opens(sealed + [0], .diskKey, place, envelope)
        #expect(!isOpenWithMore)
    }

    @Test("wrapping keys are told apart by a value that is neither of them")
    func check() {
        let first = KeyEnvelope(wrappingKey: secret(0x77)).check()
        #expect(first == KeyEnvelope(wrappingKey: secret(0x77)).check())
        #expect(first != KeyEnvelope(wrappingKey: secret(0x78)).check())
        #expect(first.count == 32)
    }

    private func opens(
        _ sealed: [UInt8], _ purpose: KeyEnvelope.Purpose, _ place: KeyEnvelope.Place,
        _ envelope: borrowing KeyEnvelope
    ) -> Bool {
        do {
            _ = try envelope.open(sealed, purpose, of: place)
            return true
        } catch {
            return false
        }
    }

    /// `python3 -c` with `cryptography`: AESGCM(0x77 * 32).encrypt(nonce 0..11, 0x5e * 32, aad).
    private static let sealedElsewhere = [
        "01000102030405060708090a0bf0e5350404b3bf00fcd5f20c73b5d778b5185a9982e56590c9cfac",
        "f67103019d96a9161c95119f560122d85214d79f80",
    ].joined()
}
