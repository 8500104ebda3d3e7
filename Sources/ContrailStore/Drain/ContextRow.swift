// A row of `context` while its batch is being written.

internal import ContrailRecorder

/// One lifetime, as the projection keeps it. A lifetime that begins and ends within a batch is inserted once, complete.
struct ContextRow {
    let id: Int64
    let pushID: Int64
    let pushedAt: Int64
    let parentID: Int64?
    let request: TrailEvent.Request?
    /// The string of the request's method; nil for an app context.
    let method: Int64?
    let endpoint: Int64?
    var pop: (id: Int64, outcome: TrailEvent.Outcome)?

    var isRequest: Bool { self.method != nil }

    /// Adds what is kept of the request here and nowhere else to the leaf of the push.
    func appendRequest(to row: inout CanonicalRow) {
        row.append(self.method)
        row.append(self.request?.path)
        row.append(self.endpoint)
        row.append(self.request?.requestID)
        row.append(self.request?.traceID)
    }
}
