// GET v1/runs and GET v1/contexts/{id}: the answers that everybody needs, ready-made.

internal import ContrailStore
internal import Hummingbird

/// Answers by fixed queries over the published names.
struct AnswerRoutes: Sendable {
    let pool: QueryPool

    /// The last hundred runs, newest first.
    func runs() async throws -> Response {
        let runs = try await self.rows("SELECT * FROM runs ORDER BY run_id DESC LIMIT 100")
        var json = JSONWriter()
        json.beginObject()
        json.member("ok", true)
        json.member("runs", rowsOf: runs)
        json.endObject()
        return json.response()
    }

    /// One context with everything that belongs to it: children, events, hooks, snapshots of `g`, problems.
    func context(_ text: String) async throws -> Response {
        guard let id = Int64(text) else {
            throw Problem(.badRequest, "context_id_malformed", "a context's id is an integer: contexts.context_id")
        }
        let context = try await self.rows("SELECT * FROM contexts WHERE context_id = ?", id)
        guard let row = context.rows.first else {
            throw Problem(.notFound, "context_not_found", "the trail has no context with this id")
        }
        var json = JSONWriter()
        json.beginObject()
        json.member("ok", true)
        json.name("context")
        json.object(row, of: context)
        for (name, sql) in Self.parts {
            let part = try await self.rows(sql, id)
            json.member(name, rowsOf: part)
            if part.truncated { json.member("\(name)_truncated", true) }
        }
        json.endObject()
        return json.response()
    }

    private static let parts = [
        ("children", "SELECT * FROM contexts WHERE parent_id = ? ORDER BY context_id"),
        ("events", "SELECT * FROM events WHERE context_id = ? ORDER BY seq"),
        ("teardowns", "SELECT * FROM teardowns WHERE context_id = ? ORDER BY seq"),
        ("g_snapshots", "SELECT * FROM g_snapshots WHERE context_id = ? ORDER BY seq"),
        ("problems", "SELECT * FROM problems WHERE context_id = ? ORDER BY seq"),
    ]

    private func rows(_ sql: String, _ id: Int64? = nil) async throws -> QueryResult {
        do {
            return try await self.pool.run(sql, parameters: .positional(id.map { [.integer($0)] } ?? []))
        } catch {
            throw Problem(error)
        }
    }
}
