// A row of `contexts` while its batch is being written.

internal import ContrailRecorder

/// One lifetime, as the projection keeps it. A lifetime that begins and ends within a batch is inserted once, complete.
struct ContextRow {
    let id: Int64
    let kind: String
    let push: TrailEvent.Push
    let worker: TrailEvent.WorkerLabel?
    let epoch: UInt64?
    let pushedAt: Int64
    var pop: (TrailEvent.Pop, at: Int64)?
}
