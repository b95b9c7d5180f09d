import Synchronization

/// Who is reporting just now: one report at a time for each VM, so that none occupies all threads that hash logs.
final class ReportPlaces: Sendable {
    private let taken = Mutex<Set<String>>([])

    /// A report that is coming in, for as long as the value lives.
    final class Place: Sendable {
        private let vm: String
        private let places: ReportPlaces

        fileprivate init(_ vm: String, _ places: ReportPlaces) {
            self.vm = vm
            self.places = places
        }

        deinit {
            places.taken.withLock { _ = $0.remove(vm) }
        }
    }

    /// A place for the VM; nil as long as another report of it is coming in.
    func take(_ vm: String) -> Place? {
        taken.withLock { $0.insert(vm).inserted } ? Place(vm, self) : nil
    }
}
