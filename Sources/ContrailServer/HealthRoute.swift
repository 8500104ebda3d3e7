// GET healthz: whether the trail can be read, and what became of the events.

private import ContrailRecorder
internal import ContrailStore
internal import Hummingbird

/// Says whether the trail can be read; for a service that writes it, also what became of the events so far.
struct HealthRoute: Sendable {
    let pool: QueryPool
    let trail: TrailStore?

    func respond() async throws -> Response {
        let result: QueryResult
        do {
            result = try await self.pool.run("SELECT count(*) FROM runs")
        } catch {
            throw Problem(error)
        }
        var json = JSONWriter()
        json.beginObject()
        json.member("ok", true)
        json.name("runs")
        json.value(result.rows.first?.first ?? .null)
        if let trail {
            let accounting = trail.recorder.accounting
            json.member("run_id", trail.runID)
            json.member("run_uuid", trail.runUUID)
            json.name("recorder")
            json.beginObject()
            json.member("produced", accounting.produced)
            json.member("stored", accounting.stored)
            json.member("dropped", accounting.dropped)
            json.member("torn", accounting.torn)
            json.member("sampled_out", accounting.sampledOut)
            json.member("buffered", accounting.buffered)
            json.member("capacity", trail.recorder.capacity)
            json.endObject()
        }
        json.endObject()
        return json.response()
    }
}
