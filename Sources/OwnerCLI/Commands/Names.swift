import Protocol

/// Reads names from the command line.
enum Names {
    static func vm(_ text: String) throws(Failure) -> String {
        guard let name = VMIdentifier(text) else {
            throw Failure(
                .unusableInput,
                "VM name \"\(text.shown)\": expected 1 to 64 of a-z, 0-9, `.` and `-`, "
                    + "beginning with a letter or digit")
        }
        return name.description
    }

    /// A reason for the ledger: 1 to 256 bytes.
    static func reason(_ text: String) throws(Failure) -> String {
        guard (1...256).contains(text.utf8.count) else {
            throw Failure(
                .unusableInput, "--reason: expected 1 to 256 bytes, got \(text.utf8.count)")
        }
        return text
    }

    static func broker(_ text: String) throws(Failure) -> BrokerAddress {
        guard let address = BrokerAddress(text) else {
            throw Failure(
                .unusableInput,
                "broker \"\(text.shown)\": expected NAME, NAME:PORT or [IPV6]:PORT")
        }
        return address
    }
}
