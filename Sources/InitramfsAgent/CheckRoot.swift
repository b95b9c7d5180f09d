import Linux

/// The last question before the boot is left to what lies on the root: is it the opened volume?
///
/// A host can attach another disk whose file system has the same UUID or label.
enum CheckRoot {
    /// Nil when `mounted` is the device that the launch made, else what is wrong.
    static func problem(state: RootState?, mounted: DeviceNumber?) -> String? {
        guard let state else { return "the gate has opened no disk" }
        guard let mounted else { return "nothing is mounted at /sysroot" }
        guard mounted == state.number else {
            return "/sysroot is device \(mounted), not the opened \(state.name) (\(state.number))"
        }
        return nil
    }

    static func run(_ options: CheckRootOptions) -> Int32 {
        let mounted = try? DeviceNumber(holding: "/sysroot")
        guard let problem = problem(state: RootState.read(), mounted: mounted) else { return 0 }
        // The unit's FailureAction powers off on this exit status.
        Speaker(terminal: options.console).say("\(problem). Powering off.")
        return 1
    }
}
