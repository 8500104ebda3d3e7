// The errors of the vector language and their texts.

internal import ContextVariables
internal import Contrail

/// An error that a program makes; its name is all there is to it.
protocol NamedError: Error {
    var name: String { get }
}

/// An error made by `raise`, by `close_error` or by a session that does not open.
struct BodyError: NamedError {
    let name: String
}

/// An error of the process-level class.
struct FatalError: NamedError, ProcessLevelError {
    let name: String
}

/// The op names something that does not exist.
struct Undefined: Error {}

extension Error {
    /// The error as traces show it.
    var text: String {
        switch self {
        case let error as any NamedError: "body_error(\(error.name))"
        case is Undefined: "undefined"
        case let error as App.Abort: "http(\(error.code))"
        case let error as ContextError where error.code == .teardownFailed:
            "teardown_failed(\(self.members.joined(separator: ",")))"
        // A context that another thread pushed is not the active one here.
        case let error as ContextError: (error.code == .foreignPop ? .notActive : error.code).description
        case let error as VariableError:
            switch error.code {
            case .neverSet, .recycled, .outsideUnit: "lookup"
            case .snapshotEntered: "context_entered"
            default: error.code.description
            }
        default: "\(Self.self)"
        }
    }

    /// What a teardown collected, as a list of names.
    private var members: [String] {
        switch self {
        case let error as any NamedError: [error.name]
        case let error as ContextError where error.code == .teardownFailed: error.errors.flatMap(\.members)
        default: [self.text]
        }
    }
}

extension (any Error)? {
    /// The suffix for the error of a pop that replaced this one, which was already on its way out.
    var during: String { self.map { " during \($0.text)" } ?? "" }
}
