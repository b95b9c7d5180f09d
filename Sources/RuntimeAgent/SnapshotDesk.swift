import AgentAPI
import Bytes
import Evidence
import Linux
import Protocol
import RuntimeCore
import Settings

/// The one snapshot that the agent makes and holds.
struct SnapshotDesk: Sendable {
    private let job: SnapshotJob
    private let excluded: [String]
    private let priority: WorkerThread.Priority

    /// - Parameter secret: a file whose digest is not for everybody who may read a snapshot.
    init(_ job: SnapshotJob, _ settings: AgentSettings, secret: String?) {
        self.job = job
        priority = WorkerThread.Priority(
            nice: settings.snapshotNice, waitsForIdleDisk: settings.snapshotIOClass == .idle)
        excluded =
            settings.snapshotExclude.map {
                $0.count > 1 && $0.hasSuffix("/") ? String($0.dropLast()) : $0
            } + [secret].compactMap(\.self)
    }

    /// Whether a path is left out.
    func excludes(_ path: String) -> Bool { excluded.contains(path) }

    var status: SnapshotStatus { job.status }
    /// Whether a snapshot is being made, or one that was stopped has not ended yet.
    var isBusy: Bool { job.isBusy }

    /// Begins one in place of the one before.
    ///
    /// - Parameter state: what processor and TPM say; nil on a machine without a secure processor.
    func start(on state: MachineState?, _ subject: RuntimeEvidence.Subject) throws(Refusal) {
        var details = SnapshotDetails(
            vm: subject.vm?.description, hostName: subject.host.name,
            bootID: subject.host.bootID, time: Clock.realtime, hash: .sha256)
        if let tpm = state?.tpm {
            details.pcrs = tpm.registers
            details.attestationKeyName = tpm.attestationKeyName
        }
        var plan = SnapshotPlan(
            header: SnapshotHeader(state), details: details, excluded: excluded)
        plan.priority = priority
        do throws(SnapshotFault) {
            try job.start(plan)
        } catch {
            throw Refusal(error)
        }
    }

    /// Stops the one that is being made, or removes the one that was made.
    func delete() { job.stop() }

    /// The finished one; nil where there is none.
    func open() throws(SystemError) -> SnapshotContent? {
        guard let snapshot = try job.open() else { return nil }
        return SnapshotContent(snapshot)
    }
}

/// A finished snapshot that several pieces of an answer are read from.
final class SnapshotContent: Sendable {
    /// In bytes.
    let size: Int
    private let snapshot: OpenSnapshot

    init(_ snapshot: consuming OpenSnapshot) {
        size = Int(snapshot.size)
        self.snapshot = snapshot
    }

    /// Bytes from `offset` on; none at the end.
    @Sendable func read(at offset: UInt64) throws(SystemError) -> [UInt8] {
        try snapshot.file.readAvailable(at: offset, upTo: Stream.pieceSize)
    }
}

extension SnapshotHeader {
    /// What the machine says, in the terms of Cosmian's policies.
    init(_ state: MachineState?) {
        guard let state else {
            self.init()
            return
        }
        let tee: TEEPolicy =
            switch state.report {
            case .snp(let report): .snp(SNPPolicy(report))
            case .tdx(let quote): .tdx(TDXPolicy(quote))
            }
        self.init(
            teePolicy: tee,
            tpmPolicy: state.tpm.map {
                TPMPolicy(resetCount: $0.resetCount, restartCount: $0.restartCount)
            })
    }
}

extension SnapshotHeader.SNPPolicy {
    init(_ report: SNPReport) {
        self.init()
        measurement = report.measurement
        reportData = report.reportData
        familyID = report.familyID
        imageID = report.imageID
        guestSVN = report.guestSVN
        idKeyDigest = report.idKeyDigest
        authorKeyDigest = report.authorKeyDigest
        policy = report.policy.rawValue
        reportID = report.reportID
        reportIDMA = report.reportIDMA
    }
}

extension SnapshotHeader.TDXPolicy {
    init(_ quote: TDXQuote) {
        self.init()
        let body = quote.body
        minimumQESVN = quote.header.qeSVN
        minimumPCESVN = quote.header.pceSVN
        minimumTEETCBSVN = body.teeTCBSVN
        mrSeam = body.mrSEAM
        // Bits in the order of the quote's bytes.
        tdAttributes = FixedBytes(
            (0..<8).map { UInt8(truncatingIfNeeded: body.tdAttributes.rawValue >> (8 * $0)) })
        xfam = body.xfam
        mrTD = body.mrTD
        mrConfigID = body.mrConfigID
        mrOwner = body.mrOwner
        mrOwnerConfig = body.mrOwnerConfig
        reportData = body.reportData
    }
}
