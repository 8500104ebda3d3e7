// The code of the article on hand-off.

import Contrail
import Foundation
import HTTPTypes
import Testing

@Suite("The article on hand-off")
struct HandOffArticle {
    private let app = App("orders")

    @Test("Its snapshot lends the request to a task, a queue and a thread.")
    func borrowed() async throws {
        let queue = DispatchQueue(label: "mail")
        let log = Log()
        let done = Gate()
        @Sendable func sendMail() { log.add("mail \((try? Current.request.path) ?? "-")") }
        @Sendable func notifyWarehouse() async throws -> String { try Current.request.path ?? "-" }

        try await withRequestContext(self.app, get("/orders/7")) { context async throws in
            let handOff = try ContextSnapshot("ship")
            let task = handOff.detached {
                try await notifyWarehouse()  // Current.request is the request's
            }
            queue.async(in: handOff) {
                sendMail()
            } refused: { error in
                log.add("too late: \(error)")  // the request has ended: borrow_outlived
            }
            Thread.detachNewThread(in: handOff) {
                log.add("thread \(hasRequestContext())")
                done.open()
            }
            #expect(try await task.value == "/orders/7")
            queue.sync {}
            await done.wait()
        }
        #expect(log.lines.sorted() == ["mail /orders/7", "thread true"])
    }

    @Test("Its values go where the request cannot follow.")
    func values() async throws {
        @Sendable func archive(_ id: Int) -> Int { id }
        let task = try await withRequestContext(self.app, get("/orders/7")) { context async throws in
            context.afterThisRequest { _, response in response }
            try context.g["order_id"] = 7
            let id = try context.g.get("order_id", as: Int.self)
            return Task.detached { archive(id) }  // may outlive the request: it has the value, not the context
        }
        #expect(await task.value == 7)
    }

    @Test("Its copy has a teardown of its own.")
    func copied() async throws {
        let app = self.app
        let paths = try await withRequestContext(app, get("/orders/7")) { _ async throws in
            let audit = try copyCurrentRequestContext { (note: String) throws -> String in
                let path = try Current.request.path ?? "-"
                return "\(note) \(path)"
            }
            return try await onThread { try audit("seen") }
        }
        #expect(paths == "seen /orders/7")
    }

    @Test("Its stream keeps the request to its last element.")
    func streamed() async throws {
        let rows = AsyncStream<Int> { continuation in
            for row in 1...2 { continuation.yield(row) }
            continuation.finish()
        }
        let stream = try await withRequestContext(self.app, get("/report")) { _ async throws in
            try streamWithContext(rows.map { row in "\(row) of \(try Current.request.path ?? "-")" })
        }
        var lines: [String] = []
        for try await line in stream { lines.append(line) }  // teardown runs after the last one
        #expect(lines == ["1 of /report", "2 of /report"])
    }
}
