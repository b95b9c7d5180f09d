public import AdminAPI
public import Bytes

/// What a broker asks of its memory. Verbs rather than keys and values, so that "once per REPORT_ID"
/// is the store's to keep, in one transaction, however many connections or brokers ask at once.
public protocol BrokerStore: Sendable {
    /// Makes a decision on facts that cannot change before it is recorded, and records it.
    ///
    /// `decide` runs inside the transaction and must not block. `done` is called after the row is
    /// durable, on a thread of the store; no key may leave before.
    func decide(
        _ question: LaunchQuestion, by decide: @escaping @Sendable (LaunchFacts) -> LaunchEntry,
        done: @escaping @Sendable (Result<RecordedLaunch, StoreError>) -> Void)

    /// Records what became of a released key; an error unless the launch is open.
    func close(
        launch id: FixedBytes<16>, with outcome: OutcomeEntry,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void)

    /// The open launch of that id with the present enrolment of its VM, or nil.
    func openLaunch(
        _ id: FixedBytes<16>,
        done: @escaping @Sendable (Result<(LedgerRow, EnrolledVM)?, StoreError>) -> Void)

    /// Judges a runtime report on facts that cannot change before the verdict is recorded, and records it
    /// with the VM's new state and all that follows.
    ///
    /// `judge` runs inside the transaction and must not block; nil from it records nothing. `done` gets
    /// the row's number after it is durable, on a thread of the store.
    func report(
        _ question: ReportQuestion,
        by judge: @escaping @Sendable (RuntimeFacts) -> ReportDecision?,
        done: @escaping @Sendable (Result<(Int64, ReportDecision)?, StoreError>) -> Void)
    /// What a report of that VM would be judged on now. `done` is called on a thread of the store.
    func runtimeFacts(
        _ question: ReportQuestion,
        done: @escaping @Sendable (Result<RuntimeFacts, StoreError>) -> Void)
    /// Changes a VM's runtime record and notes why, in one transaction; an error unless the VM is enrolled.
    ///
    /// A snapshot that `change` sets becomes the registered one, and the one before it is remembered. Nil
    /// from `change` changes nothing, and nil is returned.
    func changeRuntime(
        of vm: String, at time: Int64,
        by change: @escaping @Sendable (inout VMRuntime) -> EventEntry?
    ) async throws(StoreError) -> VMRuntime?
    /// Digests of the snapshots whose files are kept, the newest first.
    func snapshots(of vm: String) async throws(StoreError) -> [String]
    /// Reports that name a VM, newest first.
    func reports(of vm: String, limit: Int) async throws(StoreError) -> [ReportRow]
    /// The report of that number.
    func report(number: Int64) async throws(StoreError) -> ReportRow?
    /// Events of a VM, newest first.
    func events(of vm: String, limit: Int) async throws(StoreError) -> [VMEvent]

    /// Adds or replaces a policy.
    func save(_ policy: StoredPolicy) async throws(StoreError)
    /// The policy of that name.
    func policy(_ name: String) async throws(StoreError) -> StoredPolicy?
    /// All policies by name, each with how many VMs it judges.
    func policies() async throws(StoreError) -> [(policy: StoredPolicy, vms: Int)]

    /// The version that the next enrolment of that id has to carry.
    func nextKeyVersion(of vm: String) async throws(StoreError) -> Int
    /// Adds or replaces an enrolment; a conflict unless its key version is the next one.
    ///
    /// A replaced VM keeps its state and the time it was created.
    func enrol(_ vm: EnrolledVM) async throws(StoreError)
    /// Enables or disables a VM.
    func setEnabled(_ enabled: Bool, vm: String, reason: String?, at time: Int64)
        async throws(StoreError)
    /// Forgets a VM, its keys and its runtime state; its ledger rows stay.
    func remove(vm: String) async throws(StoreError)
    /// The VM of that id.
    func vm(_ id: String) async throws(StoreError) -> VMSummary?
    /// All VMs by id.
    func vms() async throws(StoreError) -> [VMSummary]

    /// Ledger rows, newest first.
    func launches(_ filter: LaunchFilter) async throws(StoreError) -> [LedgerRow]
    /// The row of that number.
    func launch(number: Int64) async throws(StoreError) -> LedgerRow?
    /// The row of that launch id.
    func launch(id: FixedBytes<16>) async throws(StoreError) -> LedgerRow?
    /// How many launches and VMs there are.
    func counts() async throws(StoreError) -> (launches: Int, vms: Int)

    /// Remembers `value` if nothing is remembered under `name` yet; what is remembered now.
    func remember(_ value: [UInt8], as name: String) async throws(StoreError) -> [UInt8]
}

extension BrokerStore {
    /// What a report of that VM would be judged on now.
    public func runtimeFacts(
        _ question: ReportQuestion
    ) async throws(StoreError) -> RuntimeFacts {
        let result = await withCheckedContinuation { continuation in
            runtimeFacts(question, done: { continuation.resume(returning: $0) })
        }
        return try result.get()
    }
}
