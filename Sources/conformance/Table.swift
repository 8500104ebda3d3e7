// What a program has made, by name.

internal import ContextVariables
internal import Contrail

/// Everything that the ops of a program can name.
///
/// It keeps what was made until the program has ended, even when its name is used again: a snapshot that is released would
/// tear down what is still pushed in it, and the language keeps that.
struct Table: Sendable {
    var apps: [String: App] = [:]
    var contexts: [String: NamedContext] = [:]
    var functions: [String: @Sendable () throws -> Void] = [:]
    var variables: [String: ContextVariable<Value>] = [:]
    var tokens: [String: ContextVariable<Value>.Token] = [:]
    var snapshots: [String: VariableSnapshot] = [:]
    var recyclables: [String: RecyclableVariable<Value>] = [:]
    /// The id under which a context was made last.
    var names: [ObjectIdentifier: String] = [:]
    var kept: [any Sendable] = []
    /// What is to be done when the program has ended.
    var endings: [@Sendable () -> Void] = []
}

/// A context of either layer.
struct NamedContext: Sendable {
    let object: any AnyObject & Sendable
    let enter: @Sendable () throws -> Void
    let exit: @Sendable ((any Error)?) throws -> Void

    init(_ context: AppContext) {
        (self.object, self.enter) = (context, { try context.enter() })
        self.exit = { try context.exit(error: $0) }
    }

    init(_ context: App.RequestContext) {
        (self.object, self.enter) = (context, { try context.enter() })
        self.exit = { try context.exit(error: $0) }
    }

    /// The request context; an app context is undefined where one is asked for.
    var request: App.RequestContext {
        get throws(Undefined) {
            guard let context = self.object as? App.RequestContext else { throw Undefined() }
            return context
        }
    }
}
