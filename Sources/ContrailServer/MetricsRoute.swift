// GET metrics: the same figures for Prometheus.

private import ContrailRecorder
internal import ContrailStore
internal import Hummingbird
private import NIOCore

/// Gives the figures of the trail that this process writes, in Prometheus' text format. A trail that is only read has none.
struct MetricsRoute: Sendable {
    let trail: TrailStore?

    func respond() -> Response {
        let text = self.trail.map { Self.text(of: $0.status) } ?? ""
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4", .contentLength: String(text.utf8.count)],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    private static func text(of status: TrailStore.Status) -> String {
        var text = MetricsText()
        let accounting = status.accounting
        text.add("contrail_events_produced_total", .counter, "Events that were numbered.", accounting.produced)
        text.add("contrail_events_stored_total", .counter, "Events that are committed.", accounting.stored)
        text.add("contrail_events_dropped_total", .counter, "Events that the full ring refused.", accounting.dropped)
        text.add("contrail_events_torn_total", .counter, "Events that were never finished.", accounting.torn)
        text.add(
            "contrail_events_sampled_out_total",
            .counter,
            "Events of contexts that were sampled out.",
            accounting.sampledOut
        )
        text.add("contrail_events_waiting", .gauge, "Events that wait for a commit.", status.waiting)
        text.add("contrail_ring_slots", .gauge, "Slots of the ring.", status.ring.slots)
        text.add("contrail_ring_slots_in_use", .gauge, "Slots that are taken.", status.ring.slotsInUse)
        text.add("contrail_ring_names_fill", .gauge, "How much room for names is taken, 0 to 1.", status.ring.namesFill)
        text.add(
            "contrail_ring_is_file",
            .gauge,
            "1 when the ring outlives the process.",
            status.ring.path == nil ? 0 : 1
        )
        text.add("contrail_lag_seconds", .gauge, "Age of the oldest event that waits.", status.lag / .seconds(1))
        text.add(
            "contrail_last_commit_timestamp_seconds",
            .gauge,
            "When the last commit succeeded, 0 before the first.",
            Double(status.lastCommit ?? 0) / 1e6
        )
        text.add("contrail_wal_bytes", .gauge, "Length of the write-ahead log.", status.logBytes)
        text.add(
            "contrail_wal_too_long",
            .gauge,
            "1 when a reader keeps the log from being emptied.",
            status.isLogTooLong ? 1 : 0
        )
        text.add(
            "contrail_retention_pause_seconds",
            .gauge,
            "The longest that retention kept the drain from writing.",
            status.longestRetentionPause / .seconds(1)
        )
        text.add("contrail_set_aside_total", .counter, "Damaged databases that were set aside.", status.setAside.count)
        text.add(
            "contrail_degraded",
            .gauge,
            "1 for the reason why nothing can be stored.",
            TrailStore.Degradation.all.map { ("reason", $0.description, $0 == status.degradation ? 1 : 0) }
        )
        text.add("contrail_mode", .gauge, "1 for the mode.", [("mode", status.durability.description, 1)])
        return text.text
    }
}

/// A page of metrics under construction.
private struct MetricsText {
    enum Kind: String {
        case counter
        case gauge
    }

    private(set) var text = ""

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some CustomStringConvertible) {
        self.head(name, kind, help)
        self.text += "\(name) \(value)\n"
    }

    mutating func add(
        _ name: String,
        _ kind: Kind,
        _ help: String,
        _ values: [(label: String, text: String, value: Int)]
    ) {
        self.head(name, kind, help)
        for (label, text, value) in values { self.text += "\(name){\(label)=\"\(text)\"} \(value)\n" }
    }

    private mutating func head(_ name: String, _ kind: Kind, _ help: String) {
        self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }
}
