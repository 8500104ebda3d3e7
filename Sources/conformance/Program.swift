// A vector: an id, apps, and ops.

internal import Contrail

/// A line of a vector file, as far as it is needed to run it.
struct Program: Sendable {
    let id: String
    let apps: [String: [String: Value]]
    let ops: [Step]
    /// Whether event lines show what is current.
    let showsBindings: Bool

    /// The kinds of functions that can be registered.
    static let kinds = [
        "before_request", "after_request", "teardown_request", "teardown_appcontext", "url_value_preprocessor",
        "error_handlers",
    ]

    init(_ json: Value) throws {
        let (vector, program) = (json.objectValue, json.objectValue?["program"]?.objectValue)
        guard let id = vector?["id"]?.stringValue, let program else { throw Malformed("it has no id or no program") }
        guard let ops = program["ops"]?.arrayValue else { throw Malformed("the program has no list of ops") }
        guard let apps = (program["apps"] ?? [:]).objectValue else { throw Malformed("the apps are no object") }
        self.id = id
        self.apps = try apps.mapValues { app in
            if let definition = app.objectValue { return definition }
            throw Malformed("the app \(app.text) is no object")
        }
        self.ops = try ops.map { try Step($0) }
        self.showsBindings = program["bindings"] == true
    }
}
