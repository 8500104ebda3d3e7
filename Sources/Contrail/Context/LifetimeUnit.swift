// The unit of work that the records of a lifetime name.

internal import ContextVariables
internal import ContrailRecorder

/// The unit of work in which a lifetime was pushed, for its records.
enum LifetimeUnit: Sendable {
    /// Nothing is recorded of it, or there was none.
    case none
    /// In the words of the app's recorder, as the push recorded it.
    case recorded(RecordedUnit)
    /// The push was not recorded, or its worker needs more than numbers.
    case label(WorkUnit.Label)

    @inline(__always)
    init(_ recorded: RecordedUnit?, or label: @autoclosure () -> WorkUnit.Label?) {
        self = recorded.map { .recorded($0) } ?? LifetimeUnit(label())
    }

    init(_ label: WorkUnit.Label?) {
        self = label.map { .label($0) } ?? .none
    }
}
