// On what terms a context is sampled out.

/// What makes a context that was sampled out worth keeping after all.
package struct SampleTerms: Sendable {
    /// How many events of one context, and of those below it, are held at the most.
    package static let mostEvents = 256

    /// A lifetime that takes at least so long is kept.
    package let slowNanoseconds: UInt64
    /// Whether nothing keeps it: its level is ``FlightRecorder/Level/off``.
    package let isMuted: Bool

    /// Says what is worth keeping.
    package init(slowNanoseconds: UInt64 = .max, isMuted: Bool = false) {
        self.slowNanoseconds = slowNanoseconds
        self.isMuted = isMuted
    }
}
