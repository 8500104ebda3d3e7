// The middleware: every request runs in a request context that ends when its response has been delivered.

public import Contrail
internal import ContrailRecorder
private import HTTPTypes
public import Hummingbird
private import NIOCore
private import NIOHTTP1

/// Runs every request behind it in a request context of an app.
///
/// ```swift
/// let router = Router(context: BasicConnectionRequestContext.self)
/// router.add(middleware: ContrailMiddleware(app))
/// ```
///
/// The context ends when the last byte of the response was written, the client went away, or the body was dropped, wherever
/// that happens; teardown hooks run then. Its outcome is
/// - `ok` when the response was delivered,
/// - `handled` when the handler threw an error that is a response below 500,
/// - `failed` when it threw any other, or the body's producer threw,
/// - `aborted` when the client went away or the request was cancelled.
///
/// The connection is the worker: it recycles at every request. The session is opened at the push and saved once the handler
/// has answered, before the body is written; the app's own routes and handlers are not asked, Hummingbird's are.
public struct ContrailMiddleware<Context: ConnectionRequestContext>: RouterMiddleware {
    private let app: App

    /// Makes the middleware for an app.
    public init(_ app: App) {
        self.app = app
    }

    /// Handles one request in a context of its own.
    public func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let requestContext = App.RequestContext(
            self.app,
            request.head,
            endpoint: context.endpointPath,
            requestID: context.id,
            origin: .http,
            streamsBody: true
        )
        let scope = ContextScope.open(requestContext, worker: context.connection.worker, site: Site())
        do {
            try await scope.enter()
        } catch {
            // The push has undone itself; the error is nobody's to handle.
            try Signals.gotRequestException.send(from: self.app, error)
            throw error
        }
        let exchange = RequestExchange(requestContext)
        let request = exchange.map { request.teed(into: $0) } ?? request
        do {
            var response = try await scope.run {
                self.app.finishSetup()
                try Signals.requestStarted.send(from: self.app, ())
                var response = try await next(request, context)
                try requestContext.saveSession(into: &response.headers)
                try Signals.requestFinished.send(from: self.app, response.head)
                return response
            }
            exchange?.respond(response.head)
            if request.method == .head || response.body.contentLength == 0 {
                // Nothing will be written that could say when it is over.
                exchange?.end(isComplete: true)
                await scope.finish(.ok)
            } else {
                response.body = Delivery(of: scope, exchange).body(around: response.body)
            }
            return response
        } catch {
            exchange?.end(isComplete: false)
            throw await self.fail(scope, with: error)
        }
    }

    /// Ends the context of a request whose handler threw. Gives the error that leaves, which a receiver may have replaced.
    private func fail(_ scope: ContextScope, with error: any Error) async -> any Error {
        let outcome = Self.outcome(of: error)
        var leaving = error
        if case .failed = outcome {
            do {
                try await scope.run { try Signals.gotRequestException.send(from: self.app, error) }
            } catch {
                leaving = error
            }
        }
        await scope.finish(outcome)
        return leaving
    }

    /// What a thrown error amounts to: one that is a response below 500 was handled.
    private static func outcome(of error: any Error) -> Outcome {
        if let error = error as? any HTTPResponseError, error.status.code < 500 { return .handled(error) }
        // The connection broke while the request's body was read: the client is gone.
        if error is IOError || error is ChannelError || error is HTTPParserError { return .aborted }
        return Outcome(error: error)
    }
}
