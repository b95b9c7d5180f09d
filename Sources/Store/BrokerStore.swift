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
    /// Forgets a VM and its keys; its ledger rows stay.
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
