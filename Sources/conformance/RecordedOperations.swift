// The ops that never raise and write one line when they are finished.

internal import ContextVariables
internal import Contrail
internal import HTTPTypes
internal import Synchronization

extension Interpreter {
    /// Runs an op and writes its line.
    func record(_ step: Step) {
        do {
            self.trace.write("\(step.label) -> \(try self.result(of: step) ?? "ok")")
        } catch {
            let isPop = ["dispatch", "call_function"].contains(step.kind)
            let replaced = isPop ? (error as? ContextError)?.replaced : nil
            self.trace.write("\(step.label) -> error \(error.text)\(replaced.during)")
        }
    }

    /// What an op gives; nothing when it only has an effect.
    private func result(of step: Step) throws -> String? {
        switch step.kind.prefix(while: { $0 != "." }) {
        case "g": try self.onNamespace(step)?.text
        case "request": try self.onRequest(step).text
        case "session": try self.onSession(Current.session, step)?.text
        case "var", "token": try self.onVariable(step)
        case "snapshot": try self.onSnapshot(step)?.text
        case "recyclable": try self.onRecyclable(step)?.text
        default: try self.onContext(step)
        }
    }

    private func onContext(_ step: Step) throws -> String? {
        let id = step.text("id")
        switch step.kind {
        case "app_context": self.add(NamedContext(AppContext(try self.app(of: step))), as: id)
        case "request_context":
            self.add(NamedContext(App.RequestContext(try self.app(of: step), try self.request(of: step))), as: id)
        case "copy": self.add(NamedContext(try self.named(step.text("of"), in: \.contexts).request.copy()), as: id)
        case "push": try self.named(id, in: \.contexts).enter()
        case "pop":
            let error = step["error"]?.stringValue.map(BodyError.init(name:))
            try self.named(id, in: \.contexts).exit(error)
        case "current.app_context": return self.name(of: Current.context)
        case "current.request_context": return self.name(of: Current.requestContext)
        case "current_app.name": return Value(try Current.app.name).text
        case "has_app_context": return Value.bool(hasAppContext()).text
        case "has_request_context": return Value.bool(hasRequestContext()).text
        case "context.session_get":
            return try self.onSession(self.named(id, in: \.contexts).request.session, step)?.text
        default: return try self.onApp(step)
        }
        return nil
    }

    private func add(_ context: NamedContext, as id: String) {
        self.table.withLock { table in
            table.contexts[id] = context
            table.names[ObjectIdentifier(context.object)] = id
            table.kept.append(context)
        }
    }

    /// The id under which the context was made last, `auto` when no op made it, null when there is none.
    private func name(of context: (any AnyObject & Sendable)?) -> String {
        guard let context else { return "null" }
        return Value(self.table.withLock { $0.names[ObjectIdentifier(context)] } ?? "auto").text
    }

    private func onApp(_ step: Step) throws -> String? {
        let id = step.text("id")
        switch step.kind {
        case "copy_function":
            let function = try copyCurrentRequestContext { try self.call("call copied \(id)", step) }
            self.table.withLock { $0.functions[id] = function }
        case "call_function":
            let function = try self.named(id, in: \.functions)
            if step.text("where") == "thread" { try self.threads.run(function) } else { try function() }
        case "register":
            try self.register(step, as: step.text("kind"), in: self.app(of: step))
        case "after_this_request":
            try afterThisRequest(step.text("name")) { _, response in
                try self.call("call \(step.label) status=\(response.head.status.code)", step)
                return response
            }
        default:
            let response = try self.app(of: step).dispatch(self.request(of: step))
            let code = response.head.status.code
            return response.isBuiltInPage ? "\(code)" : "\(code) \(Value(response.text).text)"
        }
        return nil
    }

    private func app(of step: Step) throws -> App { try self.named(step.text("app"), in: \.apps) }

    private func request(of step: Step) throws -> HTTPRequest {
        guard let method = HTTPRequest.Method(step.text("method")) else { throw Undefined() }
        return HTTPRequest(method: method, scheme: "http", authority: "localhost", path: step.text("path"))
    }

    private func onRequest(_ step: Step) throws -> Value {
        _ = try Current.request
        guard let context = Current.requestContext else { throw Undefined() }
        return switch step.kind {
        case "request.path": Value(context.path)
        case "request.method": Value(context.method.rawValue)
        case "request.args": Value(context.args[step.text("key")])
        case "request.view_args": context.viewArguments
        case "request.endpoint": Value(context.endpoint)
        default: context.routingError.map { .int($0.code) } ?? .null
        }
    }

    private func onSession(_ session: App.Session, _ step: Step) throws -> Value? {
        let key = step.text("key")
        switch step.kind {
        case "session.contains": return .bool(session.contains(key))
        case "session.set": try session.set(key, step.value("value"))
        case "session.delete": try session.remove(key)
        default: return session[key] ?? .null
        }
        return nil
    }

    /// A null is stored as nil.
    private func onNamespace(_ step: Step) throws -> Value? {
        if step.kind == "g.truth" { return .bool((try? Current.g) != nil) }
        func stored(_ field: String) -> (any Sendable)? { step.value(field).isNull ? nil : step.value(field) }
        func read(_ value: (any Sendable)?) -> Value { value as? Value ?? .null }
        let (g, key) = (try Current.g, step.text("key"))
        switch step.kind {
        case "g.get": return read(try g.get(key))
        case "g.get_default": return read(g.get(key, default: stored("default")))
        case "g.pop": return read(try g.pop(key))
        case "g.pop_default": return read(g.pop(key, default: stored("default")))
        case "g.setdefault": return read(g.setDefault(key, stored("default")))
        case "g.contains": return .bool(g.contains(key))
        case "g.keys": return .array(g.names.map(Value.string))
        case "g.set": g[key] = stored("value")
        default: try g.remove(key)
        }
        return nil
    }

    // MARK: - Variables

    private func onVariable(_ step: Step) throws -> String? {
        let (id, token) = (step.text("id"), step.text("token"))
        switch step.kind {
        case "var.create":
            let variable = ContextVariable<Value>(id, default: step["default"])
            self.table.withLock { $0.variables[id] = variable }
        case "var.get": return try self.named(id, in: \.variables).get().text
        case "var.get_default": return try self.named(id, in: \.variables).get(default: step.value("default")).text
        case "var.set":
            let made = try self.named(id, in: \.variables).set(step.value("value"))
            self.table.withLock { $0.tokens[token] = made }
        case "var.reset": try self.named(id, in: \.variables).reset(self.named(token, in: \.tokens))
        default: return try self.named(token, in: \.tokens).oldValue?.text ?? "missing"
        }
        return nil
    }

    private func onSnapshot(_ step: Step) throws -> Value? {
        let (id, variable) = (step.text("id"), step.text("var"))
        switch step.kind {
        case "snapshot", "snapshot.empty":
            let snapshot = step.kind == "snapshot" ? VariableSnapshot() : VariableSnapshot.empty
            self.table.withLock { table in
                table.snapshots[id] = snapshot
                table.kept.append(snapshot)
            }
        case "snapshot.contains", "snapshot.get":
            let (snapshot, variable) = (try self.named(id, in: \.snapshots), try self.named(variable, in: \.variables))
            return step.kind == "snapshot.get" ? try snapshot.value(of: variable) : .bool(snapshot.contains(variable))
        default:
            try self.named(id, in: \.snapshots).run {
                self.trace.write("snapshot.begin \(id)")
                try self.run(step.body)
            }
        }
        return nil
    }

    private func onRecyclable(_ step: Step) throws -> Value? {
        let id = step.text("id")
        switch step.kind {
        case "recyclable.create":
            let policy = RecyclablePolicy(bootValues: .surviveFirstRecycle)
            let variable = RecyclableVariable<Value>(id, policy: policy)
            self.table.withLock { $0.recyclables[id] = variable }
        case "recyclable.increment": Worker.current?.recycle()
        case "recyclable.get": return try self.named(id, in: \.recyclables).get()
        case "recyclable.get_default":
            return try self.named(id, in: \.recyclables).get(default: step.value("default"))
        default: try self.named(id, in: \.recyclables).set(step.value("value"))
        }
        return nil
    }
}
