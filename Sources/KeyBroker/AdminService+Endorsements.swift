import AdminAPI
import Bytes
import Endorsements
import Evidence
import Linux
import Store

extension AdminService {
    /// How many of the newest ledger rows are looked at for chips.
    private static let rows = 1000

    /// What is there, what is missing, and for which chips.
    func endorsements() async throws -> EndorsementList {
        let desk = try openDesk()
        let chips = try await seenChips()
        // Without a list nothing that was revoked is noticed, whoever brings the certificates.
        let needed = chips.compactMap { chip in
            SNPProduct.allCases.first { chip.platform == "SNP \($0.rawValue)" }
                .map { EndorsementObject.amdRevocations($0) }
        }
        var list = desk.cache.overview(
            wanted: desk.wanted.now, needed: Set(needed), services: services, at: Clock.realtime)
        list.online = desk.isOnline
        list.chips = chips.map { chip in
            var chip = chip
            chip.certificates = list.documents.filter { document in
                document.state != .missing
                    && document.path.map { path in
                        let folder = path.split(separator: "/").dropFirst().first ?? ""
                        return path.hasPrefix("vcek/") && chip.chip.hasPrefix(folder)
                    } ?? false
            }.map(\.name)
            return chip
        }
        return list
    }

    /// Everything in one file.
    func endorsementBundle() throws -> [UInt8] {
        guard let bytes = EndorsementBundle(of: try openDesk().cache).encoded() else {
            throw AdminFault(
                .conflict,
                "expected at most \(EndorsementBundle.maximumCount) bytes of endorsements")
        }
        return bytes
    }

    /// Puts the documents of a bundle where there are none, or older ones.
    func importEndorsements(_ bytes: [UInt8]) throws -> EndorsementImport {
        let desk = try openDesk()
        let bundle: EndorsementBundle
        do throws(BundleFault) {
            bundle = try EndorsementBundle(parsing: bytes)
        } catch {
            throw AdminFault(.invalid, "expected \(error.rule)", field: error.member)
        }
        do throws(SystemError) {
            return try bundle.install(in: desk.cache)
        } catch {
            throw AdminFault(.internal, "endorsements cannot be written: \(error)")
        }
    }

    private func openDesk() throws(AdminFault) -> EndorsementDesk {
        guard let desk else { throw AdminFault(.notFound, "this broker keeps no endorsements") }
        return desk
    }

    /// The chip of the newest launch of each enrolled VM.
    private func seenChips() async throws(StoreError) -> [SeenChip] {
        let enrolled = Set(try await store.vms().map(\.vm.id))
        var seen: Set<String> = []
        var chips: [String: SeenChip] = [:]
        for row in try await store.launches(LaunchFilter(limit: Self.rows)) {
            let entry = row.entry
            guard enrolled.contains(entry.vm), let chip = entry.chipID?.hex,
                let platform = entry.platform, seen.insert(entry.vm).inserted
            else { continue }
            chips[
                chip,
                default: SeenChip(chip: chip, platform: platform, vms: [], certificates: [])
            ].vms.append(entry.vm)
        }
        return chips.values.map { chip in
            var chip = chip
            chip.vms.sort()
            return chip
        }.sorted { $0.chip < $1.chip }
    }
}
