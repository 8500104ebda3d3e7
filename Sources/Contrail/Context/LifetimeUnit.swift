// The unit of work that records of contexts name.

internal import ContextVariables
internal import ContrailRecorder

/// The unit of work in which a lifetime was pushed, or in which its `g` was written, for the records of that.
enum LifetimeUnit: Sendable {
    /// Nothing is recorded of it, or there was none.
    case none
    /// In the words of the app's recorder, from an earlier record.
    case recorded(RecordedUnit)
    /// Nothing was recorded of it before, or its worker needs more than numbers.
    case label(WorkUnit.Label)

    @inline(__always)
    init(_ recorded: RecordedUnit?, or label: @autoclosure () -> WorkUnit.Label?) {
        self = recorded.map { .recorded($0) } ?? LifetimeUnit(label())
    }

    init(_ label: WorkUnit.Label?) {
        self = label.map { .label($0) } ?? .none
    }
}
