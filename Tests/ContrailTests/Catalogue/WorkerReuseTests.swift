// Workers that take one job after another.

import ContextVariables
import Contrail
import Testing

@Suite("Reused workers")
struct WorkerReuseTests {
    private static let tenant = RecyclableVariable<String>("catalogue tenant")

    private let app = Desk().app

    @Test("REC-15: a pool thread that runs each job on its worker keeps nothing of the last one.")
    func poolThread() async throws {
        let seen = try await onThread { () throws -> [String] in
            try ["a", "b"].map { job in
                try (Worker.current ?? Worker(kind: "job", number: 1)).run { () throws -> String in
                    let before = Self.tenant.get(default: "nothing")
                    try Self.tenant.set(job)
                    return before
                }
            }
        }
        #expect(seen == ["nothing", "nothing"])
    }

    @Test("REC-15: app contexts on a thread share its unit, until it recycles.")
    func appContext() async throws {
        let app = self.app
        let seen = try await onThread { () throws -> [String] in
            try ["a", "b", "c"].map { job in
                if job == "c" { Worker.current?.recycle() }
                return try withAppContext(app) { _ throws -> String in
                    let before = Self.tenant.get(default: "nothing")
                    try Self.tenant.set(job)
                    return before
                }
            }
        }
        #expect(seen == ["nothing", "a", "nothing"])
    }

    @Test("NST-04: a request inside a request does not take the outer one's values away.")
    func innerRequest() throws {
        let app = self.app
        try app.route("/inner") { _ in App.Response(Self.tenant.get(default: "nothing")) }
        try app.route("/outer") { _ throws in
            try Self.tenant.set("outer")
            let inner = try app.dispatch(get("/inner")).text
            return App.Response("\(inner) \(try Self.tenant.get())")
        }
        #expect(try app.dispatch(get("/outer")).text == "nothing outer")
    }
}
