// An op or a function of a program: its kind, its fields, its list.

internal import Contrail

/// An op, or something an app calls. Its fields are known to be there and to be of their kind.
struct Step: Sendable {
    /// The op's name, or the kind of function.
    let kind: String
    /// The list under `do`.
    let body: [Step]

    private let fields: [String: Value]
    private let parameters: [Parameter]

    /// The fields that the labels of ops show, in order. `=` marks values, brackets what may be absent.
    private static let ops = signatures(
        """
        raise error, abort code=, try, scope id, thread context, app_context id app, request_context id app method path
        push id, pop id [error], copy id of, copy_function id, call_function id where, register app kind name
        current.app_context, current.request_context, current_app.name, has_app_context, has_request_context
        g.set key value=, g.get key, g.get_default key [default=], g.pop key, g.pop_default key default=
        g.setdefault key [default=], g.contains key, g.delete key, g.keys, g.truth
        request.path, request.method, request.args key, request.view_args, request.endpoint, request.routing_error
        session.get key, session.set key value=, session.contains key, session.delete key, context.session_get id key
        after_this_request name, dispatch app method path
        var.create id [default=], var.get id, var.get_default id default=, var.set id value= token, var.reset id token
        token.old token, snapshot id, snapshot.empty id, snapshot.run id, snapshot.contains id var, snapshot.get id var
        recyclable.create id [default=], recyclable.increment, recyclable.get id, recyclable.get_default id default=
        recyclable.set id value=
        """
    )
    /// The fields that functions must have.
    private static let functions = signatures("receivers name signal, routes rule endpoint")
    /// The fields that take one of a few words.
    private static let words: [String: Set<String>] = [
        "context": ["empty", "copy"], "where": ["here", "thread"], "kind": Set(Program.kinds),
    ]

    /// Reads a function of a kind, or else an op.
    init(_ json: Value, as function: String? = nil) throws {
        let fields = json.objectValue ?? [:]
        (self.kind, self.fields) = (function ?? fields["op"]?.stringValue ?? "", fields)
        guard let parameters = function.map({ Self.functions[$0] ?? [Parameter("name")] }) ?? Self.ops[self.kind] else {
            throw Malformed("unknown op: \(json.text.prefix(80))")
        }
        self.parameters = parameters
        for parameter in parameters where !parameter.isOptional || fields[parameter.name]?.isNull == false {
            let text = fields[parameter.name]?.stringValue
            let isScalar = [.null, .bool(true), .bool(false)].contains(fields[parameter.name])
            if parameter.isValue, isScalar || fields[parameter.name]?.intValue != nil { continue }
            guard let text, Self.words[parameter.name]?.contains(text) != false else {
                throw Malformed("\(self.kind) has no \(parameter.name), or one that is not possible")
            }
        }
        for name in ["status", "code"] {
            guard let code = fields[name], !code.isNull else { continue }
            guard case .int(100...999) = code else { throw Malformed("\(code.text) is not an HTTP status") }
        }
        let isErrorHandler = [self.kind, fields["kind"]?.stringValue].contains("error_handlers")
        if isErrorHandler, fields["code"]?.intValue == nil, fields["error"]?.stringValue == nil {
            throw Malformed("an error handler needs an error or a code")
        }
        self.body = try Self.list(fields["do"])
    }

    /// Reads a list, which may be absent.
    static func list(_ json: Value?, as kind: String? = nil) throws -> [Step] {
        switch json {
        case .array(let elements)?: try elements.map { try Step($0, as: kind) }
        case .null?, nil: []
        default: throw Malformed("\(kind ?? "a list of ops") is not a list")
        }
    }

    /// The op name followed by the listed fields.
    var label: String {
        self.parameters.reduce(into: self.kind) { label, parameter in
            guard let value = self.fields[parameter.name], parameter.isValue || value != .null else { return }
            label += " " + (parameter.isValue ? value.text : value.stringValue ?? "")
        }
    }

    /// A field that may be absent.
    subscript(field: String) -> Value? { self.fields[field] }

    /// A field that holds a name; empty when it may be absent and is.
    func text(_ field: String) -> String { self.fields[field]?.stringValue ?? "" }

    /// A field that holds a value; null when it may be absent and is.
    func value(_ field: String) -> Value { self.fields[field] ?? .null }

    private struct Parameter {
        let name: String
        let isValue: Bool
        let isOptional: Bool

        init(_ notation: Substring) {
            self.name = notation.filter(\.isLetter)
            self.isValue = notation.contains("=")
            self.isOptional = notation.hasPrefix("[")
        }
    }

    private static func signatures(_ notation: String) -> [String: [Parameter]] {
        let signatures = notation.split { $0 == "," || $0.isNewline }.map { $0.split(separator: " ") }
        return Dictionary(uniqueKeysWithValues: signatures.map { (String($0[0]), $0.dropFirst().map(Parameter.init)) })
    }
}
