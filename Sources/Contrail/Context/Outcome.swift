// How a lifetime ended.

package import ContrailRecorder

/// How a lifetime of a context ended: what teardown hooks and the trail are told.
public enum Outcome: Sendable {
    /// It did what it was to do.
    case ok
    /// It failed, and the error was turned into an answer.
    case handled(any Error)
    /// It failed.
    case failed(any Error)
    /// It was cancelled, or the client went away before the last byte.
    case aborted
    /// Nobody popped it; it was popped when its scope or thread ended.
    case leaked

    /// The error, if there is one.
    public var error: (any Error)? {
        switch self {
        case .handled(let error), .failed(let error): error
        case .ok, .aborted, .leaked: nil
        }
    }

    /// What a closure's error amounts to: cancellation aborts, everything else fails.
    package init(error: any Error) {
        self = error is CancellationError ? .aborted : .failed(error)
    }

    package var recorded: TrailEvent.Outcome {
        switch self {
        case .ok: .ok
        case .handled: .handled
        case .failed: .failed
        case .aborted: .aborted
        case .leaked: .leaked
        }
    }
}
