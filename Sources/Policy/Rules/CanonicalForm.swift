import Bytes
import Evidence

extension PolicyRules {
    /// `bootgate policy v2`, as `docs/policy.md` defines it.
    ///
    /// Every key is written, set or not, in one order; sets are sorted; texts and lists carry their
    /// length. So equal rules give equal bytes, and no two rules give the same.
    var canonicalBytes: [UInt8] {
        var form = ByteWriter()
        form.text("bootgate policy v2")
        form.text(name)
        form.text(description)
        form.list(measurements.sorted { "\($0.registers)" < "\($1.registers)" }) {
            form, measurement in
            form.text(measurement.label)
            form.registers(measurement.registers)
            form.list(Coverage.allCases.filter(measurement.covers.contains)) {
                $0.text($1.rawValue)
            }
        }
        form.text(lowestClass.rawValue)
        form.text(anchor.rawValue)
        form.list(SNPProduct.allCases.filter { minimumTCB[$0] != nil }) { form, product in
            form.text(product.rawValue)
            form.list(product.components) { form, component in
                form.text(component.rawValue)
                form.uint8(minimumTCB[product]?[component] ?? 0)
            }
        }
        form.flag(allowsDebug)
        form.flag(allowsMigration)
        form.list(GuestPolicyBit.allCases.filter { guestPolicy[$0] != nil }) { form, bit in
            form.text(bit.rawValue)
            form.flag(guestPolicy[bit] == true)
        }
        form.list(minimumABI.map { [$0] } ?? []) { form, version in
            form.uint8(version.major)
            form.uint8(version.minor)
        }
        form.list(PlatformBit.allCases.filter { platform[$0] != nil }) { form, bit in
            form.text(bit.rawValue)
            form.flag(platform[bit] == true)
        }
        form.uint8(vmpl)
        form.list(SNPSigningKey.allCases.filter(signingKeys.contains)) { $0.text($1.rawValue) }
        form.list(idKeyDigests.sorted { $0.hex < $1.hex }) { $0.fixed($1) }
        form.list(authorKeyDigests.sorted { $0.hex < $1.hex }) { $0.fixed($1) }
        form.list(allowedChips.sorted { $0.hex < $1.hex }) { $0.fixed($1) }
        form.list(deniedChips.sorted { $0.hex < $1.hex }) { $0.fixed($1) }
        form.list(providers.sorted()) { $0.text($1) }
        form.list(mitigations.map { [$0] } ?? []) { $0.bigEndian($1) }
        form.flag(requiresRevocationList)
        form.list(maximumEndorsementAge.map { [$0] } ?? []) { $0.bigEndian($1) }
        tdx.write(to: &form)
        tpm.write(to: &form)
        boot.write(to: &form)
        // Behind all else and only where it is there: policies without it keep their identity.
        runtime?.write(to: &form)
        return form.bytes
    }
}

extension TDXRules {
    fileprivate func write(to form: inout ByteWriter) {
        form.list(TCBStatus.allCases.filter { statuses[$0] != nil }) { form, status in
            form.text(status.rawValue)
            switch statuses[status] {
            case .until(let end): form.list([end]) { $0.bigEndian(UInt64(bitPattern: $1)) }
            case .always, nil: form.list([Int64]()) { _, _ in }
            }
        }
        form.list(TDAttributeBit.allCases.filter { attributes[$0] != nil }) { form, bit in
            form.text(bit.rawValue)
            form.flag(attributes[bit] == true)
        }
        form.list(xfam.map { [$0] } ?? []) { $0.bigEndian($1) }
        form.list(modules.sorted { $0.hex < $1.hex }) { $0.fixed($1) }
        form.list(owners.sorted { $0.hex < $1.hex }) { $0.fixed($1) }
        form.list(ownerConfigs.sorted { $0.hex < $1.hex }) { $0.fixed($1) }
    }
}

extension TPMRules {
    fileprivate func write(to form: inout ByteWriter) {
        form.flag(isRequired)
        form.list(AttestationKeyTrust.allCases.filter(keyTrusts.contains)) {
            $0.text($1.rawValue)
        }
        form.flag(allowsSHA1)
        form.list(references.sorted { $0.label < $1.label }) { form, reference in
            form.text(reference.label)
            form.text(reference.bank.rawValue)
            form.list(reference.values.sorted { $0.key < $1.key }) { form, register in
                form.uint8(register.key)
                form.raw(register.value)
            }
            form.list(Coverage.allCases.filter(reference.covers.contains)) {
                $0.text($1.rawValue)
            }
        }
    }
}

extension BootRules {
    fileprivate func write(to form: inout ByteWriter) {
        form.flag(isRequired)
        form.list(secureBoot.map { [$0] } ?? []) { $0.flag($1) }
        form.list(authorities.sorted { $0.hex < $1.hex }) { $0.fixed($1) }
        form.digests(images)
        form.list(drivers.map { [$0] } ?? []) { $0.digests($1) }
        form.list(commandLines.map { [$0] } ?? []) { form, lines in
            form.list(lines.sorted()) { $0.text($1) }
        }
        form.flag(allowsUnexplained)
        form.list(Coverage.allCases.filter(covers.contains)) { $0.text($1.rawValue) }
    }
}

extension RuntimeRules {
    fileprivate func write(to form: inout ByteWriter) {
        form.text("runtime")
        form.bigEndian(staleAfter)
        form.flag(refusesLaunchAfterFailure)
        form.text(violations.rawValue)
        form.list(allowances.map(\.canonicalTexts).sorted { $0.joined() < $1.joined() }) {
            form, texts in
            for text in texts { form.text(text) }
        }
    }
}

extension RuntimeRules.Allowance {
    fileprivate var canonicalTexts: [String] {
        switch self {
        case .path(let glob): ["path", glob.description]
        case .package(let name): ["package", name]
        case .signer(let key): ["signer", Hex.encode(key)]
        case .overlay(let folder): ["overlay", folder]
        }
    }
}

extension ByteWriter {
    fileprivate mutating func digests(_ digests: Set<[UInt8]>) {
        list(digests.map(Hex.encode).sorted()) { $0.text($1) }
    }

    fileprivate mutating func text(_ value: String) {
        opaque(Array(value.utf8), lengthBytes: 2)
    }

    fileprivate mutating func registers(_ registers: MeasuredRegisters) {
        switch registers {
        case .launchDigest(let digest):
            text("launch digest")
            fixed(digest)
        case .td(let mrTD, let rtmr):
            text("td")
            fixed(mrTD)
            list(rtmr.sorted { $0.key < $1.key }) { form, register in
                form.uint8(UInt8(register.key))
                form.fixed(register.value)
            }
        }
    }

    fileprivate mutating func flag(_ value: Bool) {
        uint8(value ? 1 : 0)
    }

    fileprivate mutating func list<T>(_ items: [T], _ write: (inout ByteWriter, T) -> Void) {
        bigEndian(UInt64(items.count), byteCount: 4)
        for item in items {
            write(&self, item)
        }
    }
}
