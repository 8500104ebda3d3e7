// How long the writing of a trail waits for what.

/// The times by which the store tells a hitch from a failure.
package struct Patience: Sendable {
    /// How long one attempt of the drain waits for another process's lock. Short, for stopping must not wait for it.
    package var lock: Duration = .milliseconds(250)
    /// How long opening a trail waits for it.
    package var opening: Duration = .seconds(5)
    /// How long the drain sleeps at the most before it tries again.
    package var retry: Duration = .seconds(1)
    /// How long a failure that comes again is counted and not logged.
    package var quiet: Duration = .seconds(60)

    package init() {}
}

extension Duration {
    /// In whole milliseconds.
    var milliseconds: Int { Int(self / .milliseconds(1)) }
    /// In seconds.
    var seconds: Double { self / .seconds(1) }
}
