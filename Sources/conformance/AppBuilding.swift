// Apps from their definitions: every function writes its line and runs its list.

internal import Contrail
internal import HTTPTypes
internal import Synchronization

extension Interpreter {
    /// Makes an app with everything that its definition lists.
    func makeApp(_ name: String, _ definition: [String: Value]) throws -> App {
        var config = App.Config()
        config.testing = definition["testing"] == true
        config.propagatesErrors = definition["propagate"]?.boolValue
        let kind = definition["session"]?.stringValue ?? "memory"
        let sessions = try ProgramSessions(of: name, kind: kind, trace: self.trace)
        let app = App(name, config: config, sessions: sessions, recyclesOnRequest: false)
        self.connect(try Step.list(definition["receivers"], as: "receivers"), to: app)
        for kind in Program.kinds {
            for function in try Step.list(definition[kind], as: kind) { try self.register(function, as: kind, in: app) }
        }
        for route in try Step.list(definition["routes"], as: "routes") { try self.addRoute(route, to: app) }
        let closeError = definition["close_error"]?.stringValue
        try app.closeRequest { context in
            self.trace.writeEvent("request.close \(context.app.name)")
            if let closeError { throw BodyError(name: closeError) }
        }
        return app
    }

    /// Registers a function of one of the kinds.
    func register(_ function: Step, as kind: String, in app: App) throws {
        let name = function.text("name")
        let line = "call \(kind) \(name)"
        switch kind {
        case "before_request":
            try app.beforeRequest(name) { _ -> App.Response? in
                let response = try self.answer(line, function)
                return function["return"]?.stringValue == nil ? nil : response
            }
        case "after_request":
            try app.afterRequest(name) { _, response in
                try self.call("\(line) status=\(response.head.status.code)", function)
                return response
            }
        case "teardown_request":
            try app.teardownRequest(name) { _, outcome in try self.call("\(line) exc=\(outcome.text)", function) }
        case "teardown_appcontext":
            try app.teardownAppContext(name) { _, outcome in try self.call("\(line) exc=\(outcome.text)", function) }
        case "url_value_preprocessor":
            try app.urlValuePreprocessor(name) { context in
                let endpoint = Value(context.endpoint).text
                try self.call("\(line) endpoint=\(endpoint) view_args=\(context.viewArguments.text)", function)
            }
        default: try self.addErrorHandler(function, named: name, to: app)
        }
    }

    private func addErrorHandler(_ function: Step, named name: String, to app: App) throws {
        let line = "call error_handler \(name)"
        if let code = function["code"]?.intValue {
            try app.errorHandler(code: code, name) { _, abort in
                let original = abort.original.map { " original=\($0.text)" } ?? ""
                return try self.answer("\(line) \(abort.text)\(original)", function)
            }
        } else {
            let wanted = function.text("error")
            try app.errorHandler(where: { ($0 as? any NamedError)?.name == wanted }, name) { _, error in
                try self.answer("\(line) \(error.text)", function)
            }
        }
    }

    private func addRoute(_ route: Step, to app: App) throws {
        let endpoint = route.text("endpoint")
        let names = route["methods"]?.arrayValue?.map { $0.stringValue ?? "" } ?? ["GET"]
        let methods = names.compactMap { HTTPRequest.Method($0) }
        if methods.count < names.count { throw Malformed("\(endpoint) has a method that is none: \(names)") }
        try app.route(route.text("rule"), methods: methods, endpoint: endpoint) { _ in
            try self.answer("call view \(endpoint)", route)
        }
    }

    private func connect(_ receivers: [Step], to app: App) {
        self.connect(Signals.appContextPushed, receivers, to: app) { _ in "" }
        self.connect(Signals.appContextTearingDown, receivers, to: app) { " exc=\($0.text)" }
        self.connect(Signals.appContextPopped, receivers, to: app) { _ in "" }
        self.connect(Signals.requestStarted, receivers, to: app) { _ in "" }
        self.connect(Signals.requestFinished, receivers, to: app) { " status=\($0.status.code)" }
        self.connect(Signals.requestTearingDown, receivers, to: app) { " exc=\($0.text)" }
        self.connect(Signals.gotRequestException, receivers, to: app) { " error=\($0.text)" }
    }

    /// Connects what writes the signal's line and then calls the app's receiver.
    private func connect<Payload>(
        _ signal: Signal<Payload>,
        _ receivers: [Step],
        to app: App,
        detail: @escaping @Sendable (Payload) -> String
    ) {
        let receivers = receivers.filter { $0.text("signal") == signal.name }
        let connection = signal.connect(to: app) { app, payload in
            self.trace.writeEvent("signal \(signal.name) \(app.name)\(detail(payload))")
            for receiver in receivers { try self.call("call receiver \(receiver.text("name"))", receiver) }
        }
        self.table.withLock { $0.endings.append { signal.disconnect(connection) } }
    }

    /// Writes the function's line, runs its list, and gives its answer.
    private func answer(_ line: String, _ function: Step) throws -> App.Response {
        try self.call(line, function)
        return App.Response(function.text("return"), status: .init(code: function["status"]?.intValue ?? 200))
    }

    /// Writes the function's line and runs its list.
    func call(_ line: String, _ function: Step) throws {
        self.trace.writeEvent(line)
        try self.run(function.body)
    }
}

extension Outcome {
    /// The error that the context was popped with; one that was handled is not reported.
    fileprivate var text: String {
        if case .failed(let error) = self { error.text } else { "nil" }
    }
}

extension App.RequestContext {
    /// The parameters of the matched route; null when nothing matched.
    var viewArguments: Value {
        self.viewArgs.map { .object($0.mapValues { $0.intValue.map(Value.int) ?? Value($0.stringValue) }) } ?? .null
    }
}
