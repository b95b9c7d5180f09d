import Endorsements
import ServiceLifecycle

/// Fetches anew what ends soon: once at the start and then every hour.
struct Prefetch: Service {
    let fetcher: EndorsementFetcher
    let days: Int

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                fetcher.prefetch(within: Int64(days) * 86_400)
                try await Task.sleep(for: .seconds(3600))
            }
        }
    }
}
