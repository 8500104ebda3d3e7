// The life of one request, as a machine that names the next function to call: sync and async callers drive the same one.

internal import HTTPTypes

/// Takes a pushed request through its life: before functions, view, error handlers, after functions, session, signals.
///
/// The driver asks for ``next()``, calls what it gets, and hands the result to ``resume(_:)``, until there is a result.
struct Dispatching {
    /// What is to be called now.
    enum Call {
        case sync(() throws -> App.Response?)
        case async(() async throws -> App.Response?)
    }

    /// What became of the request.
    enum Ending {
        case response(App.Response)
        /// This error leaves the dispatch.
        case leaving(any Error)
    }

    /// Which function was asked for last.
    private enum Stage {
        case before(Int)
        case view
        case errorHandler
        case internalErrorHandler
        case afterThis(Int, App.Response)
        case after(Int, App.Response)
    }

    private let app: App
    private let context: App.RequestContext
    /// What was registered when the request's life began: what is called at its push may still register.
    private var table = Self.empty
    private var stage = Stage.before(0)
    private var pending: Call?
    /// Whether a failure of finishing is only noted: the response is the one for a failure already.
    private var isFinishingFailure = false
    /// The request context that was current when finishing the response began.
    private var finished: App.RequestContext?

    /// Whether the context is pushed; it is not when its push failed at once.
    var isPushed = true

    /// How it ended; nil while it goes on.
    private(set) var ending: Ending?
    /// What the teardown hooks are told.
    private(set) var outcome = Outcome.ok

    init(_ context: App.RequestContext) {
        self.app = context.app
        self.context = context
    }

    private static let empty = HandlerTable(Handlers())

    private var handlers: Handlers { self.table.handlers }

    /// Begins with a request that is pushed, with its session open and its route known.
    mutating func start() {
        self.app.finishSetup()
        self.takeHandlers()
        do {
            try Signals.requestStarted.send(from: self.app, ())
            for preprocessor in self.handlers.preprocessors {
                if case .sync(let body) = preprocessor.body { try body(self.current) }
            }
        } catch {
            return self.recover(from: error)
        }
        self.goBefore(0)
    }

    /// Begins with a request whose push failed.
    mutating func start(failingWith error: any Error) {
        self.takeHandlers()
        self.isUnhandled(error)
    }

    private mutating func takeHandlers() {
        if let table = self.app.handlers { self.table = table }
    }

    /// What to call now; nil when it has ended.
    mutating func next() -> Call? {
        defer { self.pending = nil }
        return self.pending
    }

    /// Goes on with what the call gave.
    mutating func resume(_ result: Result<App.Response?, any Error>) {
        switch (self.stage, result) {
        case (.before(let index), .success(nil)): self.goBefore(index + 1)
        case (.before, .success(let response?)), (.view, .success(let response?)),
            (.errorHandler, .success(let response?)), (.internalErrorHandler, .success(let response?)):
            self.finish(response)
        case (.before, .failure(let error)), (.view, .failure(let error)): self.recover(from: error)
        case (.errorHandler, .failure(let error)): self.isUnhandled(error)
        case (.internalErrorHandler, .failure(let error)): self.ending = .leaving(error)
        case (.afterThis(let index, let response), .success(let replacement)):
            self.goAfterThis(index + 1, replacement ?? response)
        case (.after(let index, let response), .success(let replacement)):
            self.goAfter(index + 1, replacement ?? response)
        case (.afterThis(_, let response), .failure(let error)), (.after(_, let response), .failure(let error)):
            self.failFinishing(response, error)
        case (.view, .success(nil)), (.errorHandler, .success(nil)), (.internalErrorHandler, .success(nil)):
            // Only before functions may give nothing; their type says so.
            self.finish(App.Response())
        }
    }

    /// The request context that is current: another than the dispatched one when a function left it pushed.
    private var current: App.RequestContext {
        // A request that could not be pushed must not act on the one around it.
        guard self.isPushed else { return self.context }
        return ContextLayers.here?.visible.request ?? self.context
    }

    // MARK: - Steps

    private mutating func goBefore(_ index: Int) {
        let context = self.context
        guard index < self.handlers.before.count else { return self.goView() }
        self.stage = .before(index)
        self.pending =
            switch self.handlers.before[index].body {
            case .sync(let body): .sync { try body(context) }
            case .async(let body): .async { try await body(context) }
            }
    }

    private mutating func goView() {
        // The current one, as everybody sees it: a before function may have left another one pushed.
        let context = self.current
        switch context.state.match {
        case .route(let matched, _):
            guard let route = context.app === self.app ? matched : self.handlers.route(matched.endpoint) else {
                return self.recover(from: App.Abort(404))
            }
            self.stage = .view
            self.pending =
                switch route.handler.body {
                case .sync(let body): .sync { try body(context) }
                case .async(let body): .async { try await body(context) }
                }
        case .notMatched, .notFound, .methodNotAllowed:
            // The stored routing error is raised only now: before functions run for it as well.
            self.recover(from: context.routingError ?? App.Abort(404))
        }
    }

    private mutating func recover(from error: any Error) {
        guard !error.isProcessLevel else { return self.isUnhandled(error) }
        let handler =
            if let abort = error as? App.Abort {
                self.handlers.handler(for: abort.code) ?? self.handlers.handler(for: error)
            } else {
                self.handlers.handler(for: error)
            }
        if let handler {
            self.outcome = .handled(error)
            self.stage = .errorHandler
            self.call(handler, error)
        } else if let abort = error as? App.Abort {
            self.outcome = .handled(error)
            self.finish(App.Response(page: abort))
        } else {
            self.isUnhandled(error)
        }
    }

    private mutating func isUnhandled(_ error: any Error) {
        self.outcome = Outcome(error: error)
        guard !error.isProcessLevel else {
            self.ending = .leaving(error)
            return
        }
        do {
            try Signals.gotRequestException.send(from: self.app, error)
        } catch {
            // It takes the error's place towards the caller; teardown still gets the original (SIG-09).
            self.ending = .leaving(error)
            return
        }
        guard !self.app.config.propagates else {
            self.ending = .leaving(error)
            return
        }
        self.isFinishingFailure = true
        let abort = App.Abort(500, original: error)
        // By the code first, then by the type: whoever answers all HTTP errors answers this one (LIF-07).
        if let handler = self.handlers.handler(for: 500) ?? self.handlers.handler(for: abort) {
            self.stage = .internalErrorHandler
            self.call(handler, abort)
        } else {
            self.finish(App.Response(page: abort))
        }
    }

    private mutating func call(_ handler: ErrorHandler, _ error: any Error) {
        let context = self.context
        self.pending =
            switch handler.handler.body {
            case .sync(let body): .sync { try body((context, error)) }
            case .async(let body): .async { try await body((context, error)) }
            }
    }

    /// Begins to finish the response: its functions and its session are those of the request that is current now (`LIF-12`).
    private mutating func finish(_ response: App.Response) {
        self.finished = self.current
        self.goAfterThis(0, response)
    }

    private mutating func goAfterThis(_ index: Int, _ response: App.Response) {
        guard let handler = self.finished?.afterFunction(at: index) else { return self.goAfter(0, response) }
        self.stage = .afterThis(index, response)
        self.call(handler, response)
    }

    private mutating func goAfter(_ index: Int, _ response: App.Response) {
        guard index < self.handlers.after.count else { return self.conclude(response) }
        self.stage = .after(index, response)
        self.call(self.handlers.after[index], response)
    }

    private mutating func call(
        _ handler: Handler<(App.RequestContext, App.Response), App.Response>,
        _ response: App.Response
    ) {
        let context = self.context
        self.pending =
            switch handler.body {
            case .sync(let body): .sync { try body((context, response)) }
            case .async(let body): .async { try await body((context, response)) }
            }
    }

    /// Saves the session and says that the request is finished.
    private mutating func conclude(_ response: App.Response) {
        var response = response
        do {
            try self.context.saveSession(of: self.finished, into: &response.head.headerFields)
            try Signals.requestFinished.send(from: self.app, response.head)
            self.ending = .response(response)
        } catch {
            self.failFinishing(response, error)
        }
    }

    private mutating func failFinishing(_ response: App.Response, _ error: any Error) {
        if !self.isFinishingFailure {
            self.isUnhandled(error)
        } else if error.isProcessLevel {
            self.ending = .leaving(error)
        } else {
            self.app.recordFailure("finishing the response to a failure", error, context: self.context)
            self.ending = .response(response)
        }
    }
}

extension Dispatching {
    /// Runs to the end. Async functions must not be there.
    mutating func run() {
        while let call = self.next() {
            switch call {
            case .sync(let body): self.resume(Result { try body() })
            case .async:
                let error = ContextError.asyncHandlers(self.app)
                self.resume(.failure(error))
            }
        }
    }

    /// Runs to the end on the caller's actor.
    nonisolated(nonsending) mutating func run() async {
        while let call = self.next() {
            switch call {
            case .sync(let body): self.resume(Result { try body() })
            case .async(let body):
                do {
                    self.resume(.success(try await body()))
                } catch {
                    self.resume(.failure(error))
                }
            }
        }
    }
}
