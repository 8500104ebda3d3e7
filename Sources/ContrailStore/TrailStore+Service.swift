// The trail as a service among others: it closes after them.

private import Dispatch
public import ServiceLifecycle

extension TrailStore: Service {
    /// Waits for the graceful shutdown and closes the trail.
    ///
    /// Name it before the server in the group: services stop in reverse order, so the server's last requests are in the trail.
    /// When the group is cancelled instead, all services end at once, and the trail stays open for those that are ending: call
    /// ``close()`` after the group has returned. Calling it then is right in every case.
    public func run() async throws {
        do { try await gracefulShutdown() } catch { return }
        await withCheckedContinuation { continuation in
            // Closing waits for the disk, which a thread of the cooperative pool must not.
            DispatchQueue.global().async {
                self.close()
                continuation.resume()
            }
        }
    }
}
