// The middleware on a real server: when a request's context ends, and how.

import Contrail
import ContrailHummingbird
import ContrailStore
import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceTestSupport
import Synchronization
import Testing

@Suite("The middleware")
struct MiddlewareTests {
    private struct Boom: Error {}

    /// One row of `contexts` for each request.
    private struct Ended: Equatable {
        let endpoint: String?
        let outcome: String
        let error: String?
    }

    private final class Service {
        let directory: TemporaryDirectory
        let trail: TrailStore
        let app: App
        let router = Router(context: BasicConnectionRequestContext.self)

        init() throws {
            self.directory = try TemporaryDirectory()
            self.trail = try TrailStore(path: self.directory.file("contrail.sqlite"), app: "shop")
            self.app = App("shop", recorder: self.trail.recorder)
            self.router.add(middleware: ContrailMiddleware(self.app))
        }

        /// Serves the router, closes the trail, and gives what became of the requests.
        func requests(_ operation: (RunningServer) async throws -> Void) async throws -> [Ended] {
            try await withServer(self.router, operation)
            self.trail.close()
            return try self.rows(
                "SELECT endpoint, outcome, error FROM contexts WHERE kind = 'request' ORDER BY context_id"
            )
            .map { Ended(endpoint: $0[0], outcome: $0[1], error: $0[2]) }
        }

        func rows(_ sql: String) throws -> [Row] {
            let queue = try DatabaseQueue(path: self.trail.path)
            defer { try? queue.close() }
            return try queue.read { try Row.fetchAll($0, sql: sql) }
        }
    }

    @Test("outcomes tell answers, handled errors and failures apart")
    func outcomes() async throws {
        let service = try Service()
        service.router.get("ok") { _, _ in "fine" }
        service.router.get("missing/{id}") { _, _ -> String in throw HTTPError(.notFound) }
        service.router.get("down") { _, _ -> String in throw HTTPError(.serviceUnavailable) }
        service.router.get("boom") { _, _ -> String in throw Boom() }
        service.router.get("cancelled") { _, _ -> String in throw CancellationError() }
        let ended = try await service.requests { server in
            for path in ["/ok", "/missing/7", "/down", "/boom", "/cancelled", "/nowhere"] {
                _ = try await server.send("GET", path)
            }
        }
        #expect(ended.map(\.outcome) == ["ok", "handled", "failed", "failed", "aborted", "handled"])
        #expect(ended.map(\.endpoint) == ["/ok", "/missing/{id}", "/down", "/boom", "/cancelled", nil])
        #expect(ended[3].error == "Boom()")
    }

    @Test("the context lasts while the body is written, and its hooks run after the last byte")
    func streaming() async throws {
        let service = try Service()
        let log = Mutex<[String]>([])
        try service.app.teardownAppContext("close") { context, _ in
            let left = context.g["left"] as? Int ?? -1
            log.withLock { $0.append("closed at \(left)") }
        }
        service.router.get("stream") { _, _ in
            try Current.g["left"] = 3
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    while let left = try Current.g["left"] as? Int, left > 0 {
                        try await writer.write(ByteBuffer(string: "\(left)"))
                        try Current.g["left"] = left - 1
                    }
                    log.withLock { $0.append("written") }
                    try await writer.finish(nil)
                }
            )
        }
        let ended = try await service.requests { server in
            let (_, data) = try await server.send("GET", "/stream")
            #expect(String(decoding: data, as: UTF8.self) == "321")
        }
        #expect(ended.map(\.outcome) == ["ok"])
        #expect(log.withLock { $0 } == ["written", "closed at 0"])
    }

    @Test("a body whose producer throws has failed")
    func failingBody() async throws {
        let service = try Service()
        service.router.get("stream") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "half"))
                    throw Boom()
                }
            )
        }
        let ended = try await service.requests { server in
            _ = try? await server.send("GET", "/stream")
        }
        #expect(ended == [Ended(endpoint: "/stream", outcome: "failed", error: "Boom()")])
    }

    @Test("a body that another middleware drops is aborted, and its hooks run")
    func droppedBody() async throws {
        struct Replacing<Context: RequestContext>: RouterMiddleware {
            func handle(
                _ request: Request,
                context: Context,
                next: (Request, Context) async throws -> Response
            ) async throws -> Response {
                _ = try await next(request, context)
                return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "other")))
            }
        }
        let directory = try TemporaryDirectory()
        let trail = try TrailStore(path: directory.file("contrail.sqlite"), app: "shop")
        let app = App("shop", recorder: trail.recorder)
        let (hooks, continuation) = AsyncStream.makeStream(of: Outcome.self)
        try app.teardownAppContext("close") { _, outcome in continuation.yield(outcome) }
        let router = Router(context: BasicConnectionRequestContext.self)
        router.add(middleware: Replacing())
        router.add(middleware: ContrailMiddleware(app))
        router.get("stream") { _, _ in "never sent" }
        try await withServer(router) { server in
            _ = try await server.send("GET", "/stream")
            var iterator = hooks.makeAsyncIterator()
            let outcome = await iterator.next()
            guard case .aborted? = outcome else {
                Issue.record("\(String(describing: outcome))")
                return
            }
        }
        trail.close()
    }

    @Test("requests without a body to write end when they are answered")
    func emptyBodies() async throws {
        let service = try Service()
        service.router.get("empty") { _, _ in HTTPResponse.Status.noContent }
        service.router.head("head") { _, _ in
            Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "x")))
        }
        let ended = try await service.requests { server in
            _ = try await server.send("GET", "/empty")
            _ = try await server.send("HEAD", "/head")
        }
        #expect(ended.map(\.outcome) == ["ok", "ok"])
    }

    @Test("a connection is one worker, and recycles at each of its requests")
    func worker() async throws {
        let service = try Service()
        service.router.get("ok") { _, _ in "fine" }
        _ = try await service.requests { server in
            for _ in 0..<3 { _ = try await server.send("GET", "/ok") }
        }
        let rows = try service.rows("SELECT worker, epoch_before, epoch_after FROM recycles ORDER BY seq")
        #expect(rows.count == 3)
        for row in rows { #expect((row[0] as String).hasPrefix("conn:")) }
        // Requests on the same connection continue each other's epochs.
        for (previous, next) in zip(rows, rows.dropFirst()) where previous[0] as String == next[0] as String {
            #expect(next[1] as Int64? == previous[2])
        }
        #expect(Set(rows.map { $0[2] as Int64 }).count == 3)
    }

    @Test("the signals of a request are sent in order, with the response and the error")
    func signals() async throws {
        let service = try Service()
        let log = Mutex<[String]>([])
        let app = service.app
        let started = Signals.requestStarted.connect(to: app) { _, _ in log.withLock { $0.append("started") } }
        let finished = Signals.requestFinished.connect(to: app) { _, head in
            log.withLock { $0.append("finished \(head.status.code)") }
        }
        let failed = Signals.gotRequestException.connect(to: app) { _, error in
            log.withLock { $0.append("exception \(type(of: error))") }
        }
        let ending = Signals.requestTearingDown.connect(to: app) { _, _ in log.withLock { $0.append("tearing down") } }
        defer {
            Signals.requestStarted.disconnect(started)
            Signals.requestFinished.disconnect(finished)
            Signals.gotRequestException.disconnect(failed)
            Signals.requestTearingDown.disconnect(ending)
        }
        service.router.get("ok") { _, _ in "fine" }
        service.router.get("boom") { _, _ -> String in throw Boom() }
        service.router.get("missing") { _, _ -> String in throw HTTPError(.notFound) }
        _ = try await service.requests { server in
            for path in ["/ok", "/boom", "/missing"] { _ = try await server.send("GET", path) }
        }
        #expect(
            log.withLock { $0 } == [
                "started", "finished 200", "tearing down", "started", "exception Boom", "tearing down", "started",
                "tearing down",
            ]
        )
    }

    @Test("the trace id of the client is kept when it is one")
    func traceID() async throws {
        let service = try Service()
        service.router.get("ok") { _, _ in "fine" }
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        _ = try await service.requests { server in
            for value in ["00-\(trace)-00f067aa0ba902b7-01", "00-';DROP TABLE-x-01"] {
                _ = try await server.send("GET", "/ok", headers: ["traceparent": value])
            }
        }
        let rows = try service.rows(
            "SELECT trace_id, request_id FROM contexts WHERE kind = 'request' ORDER BY context_id"
        )
        #expect(rows.map { $0[0] as String? } == [trace, nil])
        #expect(Set(rows.compactMap { $0[1] as String? }).count == 2)
    }
}
