// The trail as a service among others: it closes after them.

public import ServiceLifecycle

extension TrailStore: Service {
    /// Waits for the graceful shutdown, or for cancellation, and closes the trail.
    ///
    /// Name it before the server in the group: services stop in reverse order, so the server's last requests are in the trail.
    public func run() async throws {
        try? await gracefulShutdown()
        self.close()
    }
}
