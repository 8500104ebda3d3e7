// A streamed body holds its context across its chunks, is abandoned by its client, and poisons the thread that wrote it.

import Contrail
import ContrailHummingbird
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOPosix
import ServiceTestSupport
import Testing

@Suite("Abandoned streams")
struct AbandonedStreamTests {
    /// Chunks made on demand in a context that the first one pushes, as a generator with a `with` block around it does.
    private final class Generator: Sendable {
        static let pushLine = #line + 8
        static let popLine = #line + 12

        private let request: App.RequestContext

        init(_ app: App) { self.request = App.RequestContext(app, get("/chat")) }

        func next() throws -> String {
            if !self.request.isPushed { try self.request.push() }
            return "chunk"
        }

        // Whoever lets go of an unfinished generator closes it, on whatever thread that is.
        deinit { try? self.request.pop(outcome: .aborted) }
    }

    /// The bodies of responses that are being written.
    private actor Gateway {
        private var body: Generator?

        func respond(with body: Generator) { self.body = body }

        func write(on pool: NIOThreadPool) async throws {
            guard let body = self.body else { return }
            _ = try await pool.runIfActive { try body.next() }
        }

        func clientWentAway() { self.body = nil }
    }

    @Test(
        "pallets/flask#6123: the thread that wrote an abandoned stream is found poisoned, with the stream as the culprit"
    )
    func fault() async throws {
        let service = try Service()
        let log = Log()
        try service.app.teardownAppContext { context, _ in log.add("\(context.g["user"] ?? "nobody")") }
        try service.app.route("/later") { later in
            #expect(try later.g["user"] == nil)
            try later.g["user"] = "later"
            return "fine"
        }
        try await withPoolThread { pool in
            let gateway = Gateway()
            await gateway.respond(with: Generator(service.app))
            try await gateway.write(on: pool)
            try await gateway.write(on: pool)
            await gateway.clientWentAway()
            let laterLine = #line + 1
            let answer = try await pool.runIfActive { try service.app.dispatch(get("/later")).text }
            #expect(answer == "fine")
            // The later request had an app context of its own, and its teardown ran.
            #expect(log.lines.contains("later"))
            let stream = try await service.request("/chat")
            let later = try await service.request("/later")
            #expect(later.parent != stream.parent)

            let closed = try await service.problems("foreign_pop")
            #expect(closed.count == 1)
            #expect(closed.first?.context == stream.id)
            #expect(closed.first?.owner == stream.worker)
            #expect(closed.first?.reader != stream.worker)
            #expect(closed.first?.reader != nil)
            #expect(closed.first?.site == place(Generator.popLine))
            #expect(closed.first?.ownerSite == place(Generator.pushLine))
            #expect(closed.first?.age ?? 0 > 0)

            let poisoned = try await service.problems("poisoned_worker")
            // The request brought its app context along: two pushes were left, and the request is the one that is named.
            #expect(poisoned.map(\.context).contains(stream.id))
            for problem in poisoned {
                #expect([stream.id, stream.parent].contains(problem.context))
                #expect(problem.otherContext == later.id)
                #expect(problem.owner == stream.worker)
                #expect(problem.reader == later.worker)
                #expect(problem.reader == stream.worker)
                #expect(problem.site == place(laterLine))
                #expect(problem.ownerSite == place(Generator.pushLine))
                #expect(problem.age ?? 0 > 0)
            }
        }
    }

    @Test("pallets/flask#6123, repaired: the context encloses the writing, and ends aborted with the client")
    func repaired() async throws {
        struct ClientWentAway: Error {}
        let service = try Service()
        try await withPoolThread { pool in
            await #expect(throws: ClientWentAway.self) {
                try await pool.runIfActive {
                    try withRequestContext(service.app, get("/chat")) { _ throws in
                        #expect(Current.requestContext != nil)
                        throw ClientWentAway()
                    }
                }
            }
            try await pool.runIfActive {
                #expect(Current.requestContext == nil)
                withRequestContext(service.app, get("/later")) { _ in }
            }
        }
        #expect(try await service.request("/chat").outcome == "failed")
        #expect(try await service.request("/later").outcome == "ok")
        #expect(try await service.problemCount() == 0)
    }

    @Test(
        "pallets/flask#6123, repaired on a real server: a client leaves, the body is dropped, the context ends aborted"
    )
    func server() async throws {
        let service = try Service()
        let (ended, continuation) = AsyncStream.makeStream(of: String.self)
        try service.app.teardownRequest { request, outcome in
            continuation.yield("\(request.request.path ?? "") \(outcome)")
        }
        let router = Router(context: BasicConnectionRequestContext.self)
        router.add(middleware: ContrailMiddleware(service.app))
        router.get("chat") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    let chunk = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 16)
                    // Nobody reads: it goes on until the connection breaks.
                    while true {
                        #expect(Current.requestContext != nil)
                        try await writer.write(chunk)
                    }
                }
            )
        }
        router.get("later") { _, _ in "fine" }
        try await withServer(router) { server in
            let group = MultiThreadedEventLoopGroup.singleton
            let client = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: server.port).get()
            let head = "GET /chat HTTP/1.1\r\nHost: localhost\r\n\r\n"
            try await client.writeAndFlush(ByteBuffer(string: head)).get()
            try await client.close().get()
            for await end in ended.prefix(1) { #expect(end.hasPrefix("/chat aborted")) }
            _ = try await server.send("GET", "/later")
        }
        #expect(try await service.request("/chat").outcome == "aborted")
        #expect(try await service.request("/later").outcome == "ok")
        #expect(try await service.problemCount() == 0)
    }
}
