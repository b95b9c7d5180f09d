import AdminAPI
import ArgumentParser
import Endorsements
import Linux

/// `bootgate endorsements`
struct EndorsementCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endorsements",
        abstract: "Bring a broker what AMD and Intel publish about processors.",
        discussion: """
            Certificates, revocation lists and TCB information. A broker with `online = true` in \
            [endorsements] fetches what is missing by itself; these commands are for the others, and for \
            looking.
            """,
        subcommands: [List.self, Check.self, Export.self, Import.self])

    /// `bootgate endorsements list`
    struct List: OwnerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what is there, with its age and its end.",
            discussion: """
                Examples:
                  bootgate endorsements list
                  bootgate endorsements list --dir /mnt/usb/endorsements
                """)

        @OptionGroup var place: EndorsementPlace
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            var list = try place.list(global)
            list.documents.removeAll { $0.state == .missing }
            let report = EndorsementReport(list: list, now: Clock.realtime)
            Output.show(
                list, asJSON: global.json,
                else: list.documents.isEmpty && list.certificates.isEmpty
                    ? ["Nothing is in \(list.directory.shown)."]
                    : report.table.lines(.standard))
            return .success
        }
    }

    /// `bootgate endorsements check`
    struct Check: OwnerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what is missing or too old, and where it is to be had.",
            discussion: """
                Missing is what a launch asked for in vain, and the revocation list of each processor line \
                that an enrolled VM was last launched on. Hosts may bring certificates of their own.

                Examples:
                  bootgate endorsements check
                  bootgate endorsements check --json | jq -r '.documents[].url'

                Exit code 1: something is missing or outdated.
                """)

        @OptionGroup var place: EndorsementPlace
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            var list = try place.list(global)
            let report = EndorsementReport(list: list, now: Clock.realtime)
            list.documents.removeAll { $0.state == .good }
            Output.show(list, asJSON: global.json, else: report.findings(.standard))
            return report.isSound ? .success : .refused
        }
    }

    /// `bootgate endorsements export`
    struct Export: OwnerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write everything into one file.",
            discussion: """
                A tar file with a MANIFEST that `sha256sum --check` reads; the same documents make the same \
                bytes. An existing file is replaced.

                Examples:
                  bootgate endorsements export endorsements.tar
                  bootgate endorsements export endorsements.tar --dir /var/lib/mirror
                """)

        @Argument(help: "The file to write.", completion: .file(extensions: ["tar"]))
        var file: String
        @OptionGroup var place: EndorsementPlace
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let bytes = try place.bundle(global)
            do {
                try File.writeAtomically(file, bytes, mode: 0o644)
            } catch {
                throw Failure(.unusableInput, "\(error)")
            }
            let count = (try? EndorsementBundle(parsing: bytes).count) ?? 0
            Output.show(
                Written(file: file, documents: count), asJSON: global.json,
                else: ["\(count) documents written to \(file.shown), \(bytes.count) bytes."])
            return .success
        }

        private struct Written: Encodable {
            let file: String
            let documents: Int
        }
    }

    /// `bootgate endorsements import`
    struct Import: OwnerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring in what another broker or mirror exported.",
            discussion: """
                The whole file is checked before anything is changed. What is there and newer stays. The next \
                launch sees what came.

                Examples:
                  bootgate endorsements import endorsements.tar
                  bootgate endorsements import endorsements.tar --dir ./endorsements

                Exit code 2: the file cannot be used, and nothing was changed.
                """)

        @Argument(help: "A file that export wrote.", completion: .file(extensions: ["tar"]))
        var file: String
        @OptionGroup var place: EndorsementPlace
        @OptionGroup var global: GlobalOptions

        func execute() throws -> ExitStatus {
            let bytes: [UInt8]
            do {
                bytes = try File.read(file, atMost: EndorsementBundle.maximumCount)
            } catch {
                throw Failure(.unusableInput, "bundle \(error)")
            }
            let result = try place.install(bytes, from: file, global)
            Output.show(
                result, asJSON: global.json,
                else: [
                    "\(result.added.count) documents added, \(result.replaced.count) replaced by newer "
                        + "ones, \(result.kept.count) were there already."
                ])
            return .success
        }
    }
}

/// Whose endorsements are meant: the broker's, or those of a folder.
struct EndorsementPlace: ParsableArguments {
    @Option(
        name: .customLong("dir"),
        help: ArgumentHelp(
            "A folder of endorsements, in place of the broker's.", valueName: "path"),
        completion: .directory)
    var directory: String?

    func list(_ global: GlobalOptions) throws(Failure) -> EndorsementList {
        guard let directory else { return try global.client.endorsements() }
        let cache = EndorsementCache(directory)
        return cache.overview(
            wanted: WantedEndorsements.read(cache), services: EndorsementServices(),
            at: Clock.realtime)
    }

    func bundle(_ global: GlobalOptions) throws(Failure) -> [UInt8] {
        guard let directory else { return try global.client.endorsementBundle() }
        guard File.exists(directory) else {
            throw Failure(.unusableInput, "\(directory.shown): there is no such folder")
        }
        guard let bytes = EndorsementBundle(of: EndorsementCache(directory)).encoded() else {
            throw Failure(
                .unusableInput,
                "\(directory.shown): holds more than \(EndorsementBundle.maximumCount) bytes")
        }
        return bytes
    }

    func install(
        _ bytes: [UInt8], from file: String, _ global: GlobalOptions
    ) throws(Failure) -> EndorsementImport {
        let bundle: EndorsementBundle
        do throws(BundleFault) {
            bundle = try EndorsementBundle(parsing: bytes)
        } catch {
            throw Failure(
                .unusableInput, "\(file.shown): \("\(error)".shown)",
                next: "Nothing was changed.")
        }
        guard let directory else { return try global.client.importEndorsements(bytes) }
        do throws(SystemError) {
            return try bundle.install(in: EndorsementCache(directory))
        } catch {
            throw Failure(.unusableInput, "\(error)")
        }
    }
}
