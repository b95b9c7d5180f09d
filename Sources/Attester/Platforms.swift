public import Bytes
import Linux
import TPM

/// Which platform this is.
///
/// The order is that of docs/attester.md: an interface that is there decides, also when it fails; only
/// one that is not there lets the next be asked. The order never leads from a stronger kind of
/// evidence to a weaker one on the same machine.
public enum Platforms {
    /// The provider for what this machine has.
    ///
    /// - Parameter directory: the report interface, instead of every place that Linux has.
    /// - Throws: `AttesterError.noPlatform` as long as no driver is loaded, so that a caller in early
    ///   boot can ask again.
    public static func discover(
        tsm directory: String? = nil, hashing: any Hashing
    ) throws(AttesterError) -> any EvidenceProvider {
        try discover(tsm: directory, kernel: RunningKernel(), hashing: hashing)
    }

    /// How often a driver is given 100 ms between its device and its registration.
    private static let registrationAttempts = 20

    /// The provider that configfs-tsm has; nil where it has none and others may be asked.
    ///
    /// Linux's tdx_guest makes its device before it registers with configfs-tsm, whose folder is there
    /// by then. On kernels without that folder the device is all there will be.
    private static func provider(
        _ tsm: ConfigfsTSM, isEverywhere: Bool, kernel: any Kernel, hashing: any Hashing
    ) throws(AttesterError) -> (any EvidenceProvider)? {
        for attempt in 0...registrationAttempts {
            if attempt > 0 { kernel.pause(milliseconds: 100) }
            do throws(AttesterError) {
                // A new driver is a folder beside SNP and a line here.
                switch try tsm.provider() {
                case SNPGuest.providerName:
                    return SNPGuest(source: .tsm(tsm), kernel: kernel, hashing: hashing)
                case TDXGuest.providerName:
                    return TDXGuest(quotes: .tsm(tsm), kernel: kernel, hashing: hashing)
                case let name: throw .unknownProvider(name: String(name.prefix(64)))
                }
            } catch {
                guard case .noPlatform = error, isEverywhere else { throw error }
            }
            let devices = [GuestFiles.sevGuest, GuestFiles.tdxGuest]
            guard kernel.exists(ConfigfsTSM.defaultDirectory),
                devices.contains(where: { kernel.exists($0) })
            else { return nil }
        }
        return nil
    }

    static func discover(
        tsm directory: String? = nil, tpm: TPM.Device = .resourceManager, kernel: any Kernel,
        hashing: any Hashing
    ) throws(AttesterError) -> any EvidenceProvider {
        let tsm = ConfigfsTSM(
            directory: directory ?? ConfigfsTSM.defaultDirectory, files: kernel)
        if let provider = try provider(
            tsm, isEverywhere: directory == nil, kernel: kernel, hashing: hashing)
        {
            return provider
        }
        // Kernels before 6.7: the same reports of the same processor, by the driver's own device.
        if kernel.exists(GuestFiles.sevGuest) {
            let device = SevGuestDevice(path: GuestFiles.sevGuest, kernel: kernel)
            return SNPGuest(source: .device(device), kernel: kernel, hashing: hashing)
        }
        if kernel.exists(GuestFiles.tdxGuest) {
            return TDXGuest(
                quotes: .quoteService(QuoteService(kernel: kernel)), kernel: kernel,
                hashing: hashing)
        }
        // Behind Azure's paravisor the guest sees no processor's device, only a vTPM.
        if kernel.exists(GuestFiles.tpm),
            let azure = try AzureGuest(device: tpm, kernel: kernel, hashing: hashing)
        {
            return azure
        }
        throw .noPlatform(directory: ConfigfsTSM.defaultDirectory)
    }
}
