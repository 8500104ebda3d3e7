// A stream's context is pushed where the stream is set up, in a view's short-lived task, and popped where it is iterated.

import Contrail
import ContrailHummingbird
import NIOCore
import NIOPosix
import Testing

@Suite("Streams set up elsewhere")
struct StreamSetUpElsewhereTests {
    /// A body that is given its context when it is made, and pops it after the last chunk.
    private struct Body: Sendable {
        static let pushLine = #line + 7
        static let popLine = #line + 13

        private let request: App.RequestContext

        init(_ app: App) throws {
            self.request = App.RequestContext(app, get("/events"))
            try self.request.push()
        }

        /// What the chunks saw, and the error of the pop.
        func write() -> (sawContext: Bool, refused: ContextError.Code?) {
            let sawContext = Current.requestContext === self.request
            let refused = code {
                try self.request.pop()
            }
            return (sawContext, refused)
        }
    }

    @Test("pallets/flask#5774: the push of a view's task is found leaked, and the pop by the iterating thread refused")
    func fault() async throws {
        let service = try Service()
        try await withPoolThread { pool in
            // The task of an async view ends with the view; the server's thread iterates what it returned.
            let body = try await Task.detached {
                try await withAppContext(App("views")) { _ async throws in try Body(service.app) }
            }.value
            let (sawContext, refused) = try await pool.runIfActive { body.write() }
            #expect(!sawContext)
            #expect(refused == .notPushed)
            try await pool.runIfActive { withRequestContext(service.app, get("/probe")) { _ in } }

            let stream = try await service.request("/events")
            let thread = try await service.request("/probe").worker
            let leaked = try await service.problems("leak").filter { $0.context == stream.id }
            #expect(leaked.count == 1)
            #expect(leaked.first?.owner == stream.worker)
            #expect(leaked.first?.reader == stream.worker)
            #expect(leaked.first?.site == place(Body.pushLine))
            #expect(leaked.first?.ownerSite == place(Body.pushLine))
            #expect(leaked.first?.age ?? 0 > 0)
            #expect(stream.outcome == "leaked")

            let popped = try await service.problems("rejected_pop")
            #expect(popped.count == 1)
            #expect(popped.first?.context == stream.id)
            #expect(popped.first?.otherContext == nil)
            #expect(popped.first?.owner == stream.worker)
            #expect(popped.first?.reader == thread)
            #expect(popped.first?.site == place(Body.popLine))
            #expect(popped.first?.ownerSite == place(Body.pushLine))
            #expect(popped.first?.age ?? 0 > 0)
        }
    }

    @Test(
        "pallets/flask#5774, repaired: the view captures, the thread borrows while it iterates, the request ends after it"
    )
    func repaired() async throws {
        let service = try Service()
        try await withPoolThread { pool in
            try await withRequestContext(service.app, get("/events")) { request async throws in
                let snapshot = try await Task { try ContextSnapshot("stream") }.value
                for _ in 0..<3 {
                    #expect(try await pool.runIfActiveInContext(snapshot) { Current.requestContext === request })
                }
            }
        }
        #expect(try await service.request("/events").outcome == "ok")
        #expect(try await service.problemCount() == 0)
    }
}
