// Nothing is kept: contexts, their g and what is in it die with their scope.

import ContextVariables
import Contrail
import ContrailRecorder
import Synchronization
import Testing

@Suite("Memory")
struct MemoryTests {
    private final class Held: Sendable {}

    private final class Weak {
        weak var app: App?
        weak var context: AppContext?
        weak var request: App.RequestContext?
        weak var g: NamespaceStorage?
        weak var held: Held?

        var isEmpty: Bool {
            self.app == nil && self.context == nil && self.request == nil && self.g == nil && self.held == nil
        }

        func note(_ app: App, _ request: App.RequestContext) {
            let held = Held()
            request.appContext?.g["held"] = held
            self.app = app
            self.request = request
            self.context = request.appContext
            self.g = request.appContext?.g.storage
            self.held = held
        }
    }

    @Test("A closure form keeps nothing.")
    func closure() throws {
        let seen = Weak()
        do {
            let desk = Desk()
            try desk.app.teardownAppContext { _, _ in }
            withRequestContext(desk.app, get()) { seen.note(desk.app, $0) }
        }
        #expect(seen.isEmpty)
    }

    @Test("A copied function that lies in g and was called keeps nothing.")
    func copiedFunction() throws {
        let seen = Weak()
        do {
            let desk = Desk()
            try withRequestContext(desk.app, get()) { request throws in
                seen.note(desk.app, request)
                let function = try copyCurrentRequestContext { try Current.here().requestContext.isPushed }
                try request.g["function"] = function
                #expect(try function())
                #expect(try function())
            }
        }
        #expect(seen.isEmpty)
    }

    @Test("A copied function keeps nothing of its calls.")
    func calls() throws {
        let desk = Desk()
        weak var held: Held?
        let function = try withRequestContext(desk.app, get()) { _ throws in
            try copyCurrentRequestContext { (object: Held) throws -> Void in
                try Current.g["held"] = object
                try Current.here().requestContext.afterThisRequest { _, response in
                    withExtendedLifetime(object) { response }
                }
            }
        }
        do {
            let object = Held()
            held = object
            try function(object)
        }
        #expect(held == nil)
        try function(Held())
    }

    @Test("An async closure form with children keeps nothing.")
    func asyncClosure() async throws {
        let seen = Weak()
        do {
            let desk = Desk()
            try desk.app.teardownAppContext { _, _ async in await Task.yield() }
            await withRequestContext(desk.app, get()) { context async in
                seen.note(desk.app, context)
                async let child = Current.context
                #expect(await child != nil)
            }
        }
        #expect(seen.isEmpty)
    }

    /// Says when it dies what of its surroundings is alive.
    private final class Witness: Sendable {
        private weak let app: App?
        private weak let beside: Held?
        private let report: @Sendable (_ sawApp: Bool, _ sawBeside: Bool) -> Void

        init(_ app: App, _ beside: Held, _ report: @escaping @Sendable (Bool, Bool) -> Void) {
            self.app = app
            self.beside = beside
            self.report = report
        }

        deinit { self.report(self.app != nil, self.beside != nil) }
    }

    @Test("What dies with g finds the app alive, and what the app made beside g.")
    func order() throws {
        let seen = Mutex<[[Bool]]>([])
        var context: AppContext? = try withAppContext(App("shop", namespace: { Held() })) { context in
            let beside = try context.namespace(as: Held.self)
            context.g["witness"] = Witness(context.app, beside) { app, beside in
                seen.withLock { $0.append([app, beside]) }
            }
            return context
        }
        #expect(seen.withLock { $0 }.isEmpty)
        // The last reference to all of it.
        #expect(context != nil)
        context = nil
        #expect(seen.withLock { $0 } == [[true, true]])
    }

    @Test("A push and pop by hand keeps nothing.")
    func imperative() throws {
        let seen = Weak()
        try withAppContext(App("base")) { _ throws in
            do {
                let desk = Desk()
                let request = App.RequestContext(desk.app, get())
                try request.push()
                seen.note(desk.app, request)
                try request.pop()
            }
            #expect(seen.isEmpty)
        }
    }

    @Test("A leftover keeps nothing once its scope has ended.")
    func leftover() throws {
        let seen = Weak()
        try withAppContext(App("base")) { _ throws in
            let desk = Desk()
            let request = App.RequestContext(desk.app, get())
            try request.push()
            seen.note(desk.app, request)
        }
        #expect(seen.isEmpty)
    }

    @Test("A snapshot keeps the contexts until it is dropped, and no longer.")
    func snapshot() throws {
        let seen = Weak()
        do {
            let snapshot: ContextSnapshot
            do {
                let desk = Desk()
                snapshot = try withRequestContext(desk.app, get()) { request throws in
                    seen.note(desk.app, request)
                    return try ContextSnapshot("work")
                }
            }
            withExtendedLifetime(snapshot) { #expect(seen.context != nil) }
        }
        #expect(seen.isEmpty)
    }

    @Test("A bare thread keeps nothing after its last pop.")
    func bareThread() async throws {
        let isEmpty = try await onThread {
            let seen = Weak()
            do {
                let desk = Desk()
                let request = App.RequestContext(desk.app, get())
                try request.push()
                seen.note(desk.app, request)
                try request.pop()
            }
            return seen.isEmpty
        }
        #expect(isEmpty)
    }
}
