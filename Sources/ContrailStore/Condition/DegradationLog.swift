// What the drain says about failures: once when one begins, once when it is over, and never more often than it is read.

internal import Logging

/// Decides which changes are worth a line. One thread.
///
/// A failure that comes and goes would write two lines each time: within ``quiet`` of the last line about the same cause it is
/// counted, and the next line says how often.
struct DegradationLog {
    private let logger: Logger
    private let quiet: Duration
    private var current: TrailStore.Degradation?
    private var hasSpoken = false
    private var lastLines: [TrailStore.Degradation: ContinuousClock.Instant] = [:]
    private var unsaid = 0
    private var isFullOfNames = false

    init(_ logger: Logger, quiet: Duration) {
        self.logger = logger
        self.quiet = quiet
    }

    /// Notes that an attempt failed.
    mutating func note(_ degradation: TrailStore.Degradation, _ message: @autoclosure () -> String) {
        guard degradation != self.current else { return }
        self.current = degradation
        let now = ContinuousClock.now
        if let last = self.lastLines[degradation], now - last < self.quiet {
            self.unsaid += 1
            return
        }
        self.lastLines[degradation] = now
        self.hasSpoken = true
        self.logger.error("cannot write the trail (\(degradation)), trying again: \(message())\(self.takeUnsaid())")
    }

    /// Notes that an attempt worked.
    mutating func noteSuccess() {
        guard self.current != nil else { return }
        self.current = nil
        guard self.hasSpoken else { return }
        self.hasSpoken = false
        self.logger.notice("the trail is being written again\(self.takeUnsaid())")
    }

    /// Notes how full the ring's room for names is: at 1 records get longer, and that is all.
    mutating func note(namesFill: Double) {
        guard namesFill >= 1, !self.isFullOfNames else { return }
        self.isFullOfNames = true
        self.logger.notice(
            "the ring has no room for more names: new ones are written out in each record; a larger capacity has more"
        )
    }

    private mutating func takeUnsaid() -> String {
        defer { self.unsaid = 0 }
        return self.unsaid == 0 ? "" : "; \(self.unsaid) more such failures passed meanwhile"
    }
}
