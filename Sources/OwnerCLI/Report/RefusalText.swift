/// What the checks of a launch mean to an owner: in one sentence where one does not hold, and what to do.
enum RefusalText {
    /// The sentence for a check that does not hold; nil for a check that this version does not know.
    static func sentence(_ check: String) -> String? { sentences[check] }

    private static let sentences: [String: String] = launch.merging(processor) { first, _ in first }
        .merging(intel) { first, _ in first }.merging(tpm) { first, _ in first }

    /// What the broker and the policy say of the launch.
    private static let launch = [
        "identity": "no VM of that name is enrolled",
        "VM state": "the VM is disabled",
        "purpose": "the VM asked for something other than a launch",
        "key name": "the VM asked for another key than the enrolled one",
        "policy": "the stored policy cannot be used",
        "evidence kind": "the broker does not read this kind of evidence",
        "runtime state": "a report of the running VM failed, and nobody has resumed it since",
        "config digest": "the VM runs with another gate.conf than the enrolled one",
        "config anchor": "the processor does not vouch for the enrolled gate.conf",
        "launch class": "what vouches for the boot is weaker than the policy demands",
        "debug": "the host may look into the guest's memory",
        "migration": "the guest may be moved by a migration agent",
        "guest policy":
            "the guest was launched with other rights of the host than the policy wants",
        "guest ABI": "the guest would run under older firmware than the policy wants",
        "platform": "the host's processor is set up in another way than the policy wants",
        "VMPL": "the report was asked for at another privilege level than the policy wants",
        "signing key": "the report was signed by a kind of key that the policy does not accept",
        "provider": "the key was lent to another cloud provider than the policy names",
        "ID key": "the ID block was not signed by a key that the policy knows",
        "author key": "the ID key was not signed by a key that the policy knows",
        "chip": "the policy does not allow this chip",
        "minimum TCB": "the processor's firmware is older than the policy demands",
        "launch TCB": "the firmware that launched the guest is older than the policy demands",
        "mitigations": "the firmware lacks a mitigation that the policy demands",
        "endorsement age":
            "the revocation list or TCB information is missing, or older than the policy allows",
        "measurement": "the measurement is not one this policy knows",
        "disk header": "the disk's header is not the enrolled one",
        "hand-over": "the evidence was made after the gate handed over to the system",
        "report ID": "this launch has had its key already",
        "endorsements": "a document about the processor is missing",
    ]

    /// Evidence in general, and SNP's.
    private static let processor = [
        "report": "the evidence is no SNP report",
        "signature": "the report is not signed by the key it names",
        "chain": "the certificates do not lead to a trusted root",
        "root": "the report was signed under a root that this broker does not trust",
        "certificate dates": "a certificate is not valid now, by the broker's clock",
        "revocation list": "the vendor's revocation list is not genuine or has ended",
        "revocation": "the vendor has taken a certificate back",
        "product": "report and certificates are of different processor lines",
        "endorsement key": "the certificate is for another kind of key than the one that signed",
        "endorsed chip": "the certificate is for another chip",
        "endorsed TCB": "the certificate is for other firmware versions than the report names",
        "TCB order": "the report's firmware versions contradict each other",
        "binding": "the evidence was made for another connection",
        "HCL report": "the paravisor's report cannot be read",
        "HCL binding": "the processor does not vouch for the paravisor's data",
        "paravisor level": "the report was asked for by the guest, not by its paravisor",
        "TD report": "the quote is not of the report that the paravisor keeps",
        "HCL user data": "the paravisor's data was made for another connection",
        "paravisor's report": "the report that came is not the one that the paravisor keeps",
    ]

    /// TDX's.
    private static let intel = [
        "TEE type": "the quote is an enclave's, not a trust domain's",
        "TDX quote": "the evidence is no TDX quote",
        "quote signature": "the quote is not signed by its attestation key",
        "attestation key": "the quoting enclave does not vouch for the quote's key",
        "QE report": "the platform's certified key does not vouch for the quoting enclave",
        "PCK chain": "the platform's certificates do not belong together",
        "Intel root": "the platform is certified under a root that this broker does not trust",
        "module signer": "the TDX module is not Intel's own",
        "TCB info": "the TCB info is not genuine",
        "QE identity": "the identity of the quoting enclave is not genuine",
        "revocation lists": "Intel's revocation lists are not genuine",
        "collateral dates": "Intel's documents about the platform have ended, or begin later",
        "endorsed platform": "the TCB info is for another family of platforms",
        "quoting enclave": "the quoting enclave is not the one that Intel describes",
        "module identity": "Intel does not know this TDX module",
        "TCB level": "Intel has no rating for the platform's versions",
        "TCB status": "Intel's rating of the platform is not one that the policy accepts",
        "TD attributes": "the trust domain has other attributes than the policy wants",
        "XFAM": "the trust domain may use other processor features than the policy wants",
        "TDX module": "the TDX module is not one that the policy names",
        "TD owner": "MROWNER is not one that the policy names",
        "TD owner config": "MROWNERCONFIG is not one that the policy names",
    ]

    /// TPMs and logs of the boot.
    private static let tpm = [
        "TPM": "there is no TPM quote whose key the policy trusts",
        "TPM quote": "the TPM's quote cannot be read",
        "TPM signature": "the TPM's quote is not signed by the key that came with it",
        "TPM key": "the TPM's key could sign what the TPM did not measure",
        "TPM key name": "the evidence names another TPM key than it brought",
        "TPM nonce": "the TPM's quote was made for another connection",
        "PCR selection": "the TPM's quote is about other registers than were asked for",
        "PCR digest": "the register values that came are not the quoted ones",
        "TPM algorithms": "the TPM's quote rests on SHA-1",
        "TPM key chain": "the certificates of the TPM's key do not belong together",
        "TPM key root": "the TPM's key is certified under a root that this broker does not trust",
        "TPM key dates": "a certificate of the TPM's key is not valid now, by the broker's clock",
        "TPM key revocation": "a certificate of the TPM's key was taken back",
        "TPM key trust": "nothing that is believed vouches for the TPM's key",
        "PCR bank": "only SHA-1 registers were quoted",
        "PCRs": "the registers are not those of a boot this policy knows",
        "event log format": "the event log cannot be read",
        "event log": "the event log does not lead to the quoted registers",
        "event log separators": "the event log has more separators than firmware makes",
        "event log coverage": "the event log tells of registers that were not quoted",
        "boot events": "the event log has events that explain nothing",
        "Secure Boot": "Secure Boot is not as the policy wants it",
        "boot authorities": "an image was let in by a certificate that the policy does not name",
        "boot images": "an image was started that the policy does not name",
        "boot drivers": "a driver was loaded that the policy does not name",
        "kernel command line": "the kernel was given words that the policy does not name",
    ]
}

extension RefusalText {
    /// What to do where these checks do not hold; nil where the policy alone tells.
    static func next(_ checks: [String], vm: String, policy: String) -> String? {
        let refused = Set(checks)
        return advice(vm, policy).first { !refused.isDisjoint(with: $0.checks) }?.text
    }

    /// The first that applies is given: what nothing can be told without comes before what is a matter of
    /// choice.
    private static func advice(
        _ vm: String, _ policy: String
    ) -> [(checks: Set<String>, text: String)] {
        let again = "`bootgate policy show \(policy)`), then `bootgate policy add FILE`."
        return [
            (
                ["measurement"],
                "if that change is intended, add a [[measurement]] to the policy (\(again)"
            ),
            (
                ["PCRs", "boot images", "boot authorities", "boot drivers", "kernel command line"],
                "if that change is intended, name the new values in the policy (`bootgate measure uki` "
                    + "predicts them; \(again)"
            ),
            (["identity"], "`bootgate vm list` shows which VMs are enrolled."),
            (["VM state"], "`bootgate vm enable \(vm)` if it may boot again."),
            (
                ["runtime state"],
                "`bootgate vm resume \(vm) --reason TEXT` if it may boot again."
            ),
            (
                ["config digest", "config anchor"],
                "`bootgate vm show \(vm)` shows what the VM must be launched with."
            ),
            (
                ["disk header"],
                "if you changed the disk yourself, `bootgate vm enroll \(vm) --disk FILE`."
            ),
            (["debug"], "launch the VM without the debug bit in its guest policy or attributes."),
            (
                [
                    "endorsements", "endorsement age", "collateral dates", "revocation list",
                    "revocation lists", "TCB info", "QE identity", "endorsed platform",
                ],
                "`bootgate endorsements check` says what is missing and where it is to be had."
            ),
            (
                ["TCB status", "TCB level", "minimum TCB", "launch TCB", "mitigations"],
                "have the host's firmware updated, or accept it for a while: `bootgate policy show "
                    + "\(policy)`."
            ),
            (
                ["revocation", "TPM key revocation"],
                "start the VM on another machine; what its vendor took back proves nothing any more."
            ),
            (
                ["root", "Intel root"],
                "if the lab's root is meant, name it in [trust] of the broker's settings; else do not "
                    + "trust this host."
            ),
            (
                ["hand-over", "report ID"],
                "start the VM anew; a running system cannot ask for its key."
            ),
            (
                ["binding", "HCL user data", "TPM nonce"],
                "start the VM anew; evidence is for one connection."
            ),
            (["certificate dates", "TPM key dates"], "look at the broker's clock first."),
            (
                ["TPM"],
                "set `tpm_quote = yes` in gate.conf and enrol the VM again, or ask for no TPM in the "
                    + "policy."
            ),
            (
                ["Secure Boot"],
                "set the VM's firmware as the policy wants it, or change [boot] (\(again)"
            ),
        ]
    }
}
