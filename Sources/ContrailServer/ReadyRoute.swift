// GET readyz: whether the trail can be read and is being written.

internal import ContrailStore
internal import Hummingbird

/// Says whether questions can be answered and whether what happens is being stored. 503 with the cause when not: it is about the
/// trail, not about the service that writes it, which goes on.
struct ReadyRoute: Sendable {
    let pool: QueryPool
    let trail: TrailStore?

    func respond() async throws -> Response {
        do {
            _ = try await self.pool.run("SELECT 1 FROM runs LIMIT 1")
        } catch {
            throw Problem(error)
        }
        if let degradation = trail?.status.degradation {
            throw Problem(
                .serviceUnavailable,
                "trail_degraded",
                "nothing is stored at the moment (\(degradation)): the ring holds what fits; GET v1/stats has the figures"
            )
        }
        var json = JSONWriter()
        json.beginObject()
        json.member("ok", true)
        json.endObject()
        return json.response()
    }
}
