// GET v1/stats: how the writing of the trail stands.

private import ContrailRecorder
internal import ContrailStore
internal import Hummingbird

/// Gives the status of the trail that this process writes. A trail that it only reads has none: `writing` is null.
struct StatsRoute: Sendable {
    let trail: TrailStore?

    func respond() -> Response {
        var json = JSONWriter()
        json.beginObject()
        json.member("ok", true)
        json.name("writing")
        if let trail { self.write(trail, trail.status, to: &json) } else { json.null() }
        json.endObject()
        return json.response()
    }

    private func write(_ trail: TrailStore, _ status: TrailStore.Status, to json: inout JSONWriter) {
        json.beginObject()
        json.member("run_id", trail.runID)
        json.member("run_uuid", trail.runUUID)
        json.member("mode", status.durability.description)
        json.name("events")
        json.beginObject()
        json.member("produced", status.accounting.produced)
        json.member("stored", status.accounting.stored)
        json.member("dropped", status.accounting.dropped)
        json.member("torn", status.accounting.torn)
        json.member("sampled_out", status.accounting.sampledOut)
        json.member("waiting", status.waiting)
        json.endObject()
        json.member("lag_ns", Int64(status.lag / .nanoseconds(1)))
        json.member("last_commit", status.lastCommit)
        json.member("wal_bytes", status.logBytes)
        json.member("wal_is_too_long", status.isLogTooLong)
        json.member("retention_pause_ns", Int64(status.longestRetentionPause / .nanoseconds(1)))
        json.member("degradation", status.degradation?.description)
        json.member("degraded_since", status.degradedSince)
        json.name("set_aside")
        json.beginArray()
        for name in status.setAside { json.value(name) }
        json.endArray()
        json.name("ring")
        json.beginObject()
        json.member("path", status.ring.path)
        json.member("directory", status.ring.directory)
        json.member("slots", status.ring.slots)
        json.member("slots_in_use", status.ring.slotsInUse)
        json.member("names_fill", status.ring.namesFill)
        json.endObject()
        json.endObject()
    }
}
