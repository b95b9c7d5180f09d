import Synchronization

/// Who is reporting just now: one report at a time for each VM, so that none occupies all threads that hash logs.
final class ReportPlaces: Sendable {
    private let taken = Mutex<Set<String>>([])

    /// A report that is coming in, until it leaves or the value dies.
    final class Place: Sendable {
        private let vm: String
        private let places: ReportPlaces
        private let isLeft = Atomic<Bool>(false)

        fileprivate init(_ vm: String, _ places: ReportPlaces) {
            self.vm = vm
            self.places = places
        }

        deinit { leave() }

        /// Lets the VM's next report in. For before this one is answered, as the next may follow at once.
        func leave() {
            guard !isLeft.exchange(true, ordering: .relaxed) else { return }
            places.taken.withLock { _ = $0.remove(vm) }
        }
    }

    /// A place for the VM; nil as long as another report of it is coming in.
    func take(_ vm: String) -> Place? {
        taken.withLock { $0.insert(vm).inserted } ? Place(vm, self) : nil
    }
}
