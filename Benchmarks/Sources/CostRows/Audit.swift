// An app for one batch, whose recorder holds everything that the batch records.

import Contrail
import ContrailRecorder

/// Whether and how the app of a batch records.
///
/// A batch gets a buffer of the default size, fills it once and throws it away when the clock has stopped: nothing is
/// dropped, and no drain competes for the processor.
enum Audit: Sendable {
    case lifecycle, off, without

    private static let capacity = FlightRecorder.Configuration().capacity

    /// How many calls fit in the ring, when the events of each take so many slots at the most: whole stretches, with room for what
    /// is around them.
    func count(slots: Int) -> Int { (Self.capacity - 64) / slots / Meter.stretch * Meter.stretch }

    /// A new app.
    func app() -> App {
        var configuration = FlightRecorder.Configuration()
        if self == .off { configuration.level = .off }
        return App("bench", recorder: self == .without ? nil : FlightRecorder(configuration: configuration))
    }

    /// Stops the program when the app did not record at least this much, or lost any of it: the figure would mean nothing.
    func verify(_ app: App, events: Int) {
        guard self == .lifecycle, let accounting = app.recorder?.accounting else { return }
        precondition(accounting.dropped == 0, "the batch was longer than the buffer")
        precondition(accounting.produced >= UInt64(events), "the batch did not record what it should")
    }
}
