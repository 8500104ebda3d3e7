// What was dropped and is not yet in the trail, by cause.

internal import ContrailRecorder

/// Drops that wait for a transaction that can be committed: one report for each cause, however long that takes. One thread.
struct DropReports {
    private var reports: [TrailEvent.Drop] = []

    /// Adds what was dropped since the last call.
    mutating func note(_ drop: TrailEvent.Drop?) {
        guard let drop else { return }
        guard let index = self.reports.firstIndex(where: { $0.cause == drop.cause }) else {
            return self.reports.append(drop)
        }
        let known = self.reports[index]
        self.reports[index] = TrailEvent.Drop(
            count: known.count + drop.count,
            firstSeq: min(known.firstSeq, drop.firstSeq),
            lastSeq: max(known.lastSeq, drop.lastSeq),
            kinds: known.kinds | drop.kinds,
            cause: drop.cause
        )
    }

    /// Gives all reports, and begins anew.
    mutating func takeAll() -> [TrailEvent.Drop] {
        defer { self.reports = [] }
        return self.reports
    }
}
