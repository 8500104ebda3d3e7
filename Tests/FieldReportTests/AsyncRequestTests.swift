// A request goes asynchronous: it is announced on one thread of the container and its end on another.

import Contrail
import Dispatch
import NIOCore
import NIOPosix
import Testing

@Suite("Asynchronous requests")
struct AsyncRequestTests {
    /// A container's listener, which pushes when it hears of a request and pops when it hears of its end.
    private enum Listener {
        static let pushLine = #line + 4
        static let popLine = #line + 7

        static func initialized(_ request: App.RequestContext) throws {
            try request.push()
        }

        static func destroyed(_ request: App.RequestContext) -> ContextError.Code? {
            code { try request.pop() }
        }
    }

    @Test(
        "getsentry/sentry-java#3568: the end on another thread is refused, and the first thread's next request finds the rest"
    )
    func fault() async throws {
        let service = try Service()
        try await withPoolThread { first in
            try await withPoolThread { second in
                let request = App.RequestContext(service.app, get("/async"))
                try await first.runIfActive { try Listener.initialized(request) }
                // startAsync(): the thread is free for others; the work hops to Dispatch, and from there to the second thread.
                await withCheckedContinuation { continuation in
                    DispatchQueue.global().async { continuation.resume() }
                }
                try await second.runIfActive {
                    let other = App.RequestContext(service.app, get("/other"))
                    try Listener.initialized(other)
                    #expect(Listener.destroyed(request) == .foreignPop)
                    #expect(Current.requestContext === other)
                    #expect(Listener.destroyed(other) == nil)
                }
                try await first.runIfActive {
                    let next = App.RequestContext(service.app, get("/next"))
                    try Listener.initialized(next)
                    #expect(Listener.destroyed(next) == nil)
                }
            }
            let owner = try await service.request("/async")
            let other = try await service.request("/other")
            let next = try await service.request("/next")
            #expect(owner.worker != other.worker)
            #expect(owner.worker == next.worker)
            #expect(owner.parent != next.parent)

            let popped = try await service.problems("foreign_pop")
            #expect(popped.count == 1)
            #expect(popped.first?.context == owner.id)
            #expect(popped.first?.otherContext == other.id)
            #expect(popped.first?.owner == owner.worker)
            #expect(popped.first?.reader == other.worker)
            #expect(popped.first?.site == place(Listener.popLine))
            #expect(popped.first?.ownerSite == place(Listener.pushLine))
            #expect(popped.first?.age ?? 0 > 0)

            let poisoned = try await service.problems("poisoned_worker")
            #expect(poisoned.map(\.context).contains(owner.id))
            for problem in poisoned {
                #expect([owner.id, owner.parent].contains(problem.context))
                #expect(problem.otherContext == next.id)
                #expect(problem.owner == owner.worker)
                #expect(problem.reader == next.worker)
                #expect(problem.site == place(Listener.pushLine))
                #expect(problem.ownerSite == place(Listener.pushLine))
                #expect(problem.age ?? 0 > 0)
            }
        }
    }

    @Test("getsentry/sentry-java#3568, repaired: one closure is the request, and the asynchronous part borrows it")
    func repaired() async throws {
        let service = try Service()
        let work = DispatchQueue(label: "work", attributes: .concurrent)
        for path in ["/async", "/next"] {
            try await withRequestContext(service.app, get(path)) { request async throws in
                let snapshot = try ContextSnapshot("work")
                let seen = await withCheckedContinuation { continuation in
                    work.async(in: snapshot) { continuation.resume(returning: Current.requestContext === request) }
                }
                #expect(seen)
            }
        }
        for path in ["/async", "/next"] { #expect(try await service.request(path).outcome == "ok") }
        #expect(try await service.problemCount() == 0)
    }
}
