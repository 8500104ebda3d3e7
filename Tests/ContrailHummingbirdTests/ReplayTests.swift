// What the level `replay` writes down behind a server: bodies are noted as they pass, and nothing waits for it.

import Contrail
import ContrailHummingbird
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceTestSupport
import Synchronization
import Testing

@Suite("The level replay behind a server")
struct ReplayTests {
    private let directory: TemporaryDirectory
    private let trail: TrailStore
    private let router = Router(context: BasicConnectionRequestContext.self)

    init() throws {
        self.directory = try TemporaryDirectory()
        self.trail = try TrailStore(path: self.directory.file("contrail.sqlite"), app: "shop")
        let recording = App.Recording(level: .replay, routes: ["/plain": .init(level: .lifecycle)])
        self.router.add(
            middleware: ContrailMiddleware(App("shop", recorder: self.trail.recorder, recording: recording))
        )
    }

    private func details(_ kind: String) throws -> [Row] {
        let queue = try DatabaseQueue(path: self.trail.path)
        defer { try? queue.close() }
        return try queue.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT detail ->> '$.body' AS body, detail ->> '$.size' AS size, detail ->> '$.cut' AS cut,
                        detail ->> '$.body_follows' AS follows, detail ->> '$.target' AS target,
                        detail ->> '$.status' AS status, detail ->> '$.incomplete' AS incomplete
                    FROM events WHERE kind = ? ORDER BY seq
                    """,
                arguments: [kind]
            )
        }
    }

    @Test("a body is noted while the handler reads it, and the response while it is written")
    func echo() async throws {
        self.router.post("echo") { request, _ in
            Response(
                status: .created,
                body: ResponseBody { writer in
                    for try await buffer in request.body { try await writer.write(buffer) }
                    try await writer.finish(nil)
                }
            )
        }
        try await withServer(self.router) { server in
            let (_, data) = try await server.send("POST", "/echo?a=1", body: "two teas")
            #expect(String(decoding: data, as: UTF8.self) == "two teas")
        }
        self.trail.close()
        let input = try self.details("request_input")
        #expect(input.map { $0["follows"] as Int? } == [1, nil])
        #expect(input.first?["target"] == "/echo?a=1")
        #expect(input.last?["body"] == "two teas")
        #expect(input.last?["incomplete"] as Int? == nil)
        let output = try #require(try self.details("response_output").first)
        #expect(output["status"] == 201)
        #expect(output["body"] == "two teas")
    }

    @Test("of a long body 64 KiB are kept, and the handler gets all of it")
    func long() async throws {
        let count = 300_000
        self.router.post("count") { request, _ in
            var size = 0
            for try await buffer in request.body { size += buffer.readableBytes }
            return "\(size)"
        }
        try await withServer(self.router) { server in
            let (_, data) = try await server.send("POST", "/count", body: String(repeating: "x", count: count))
            #expect(String(decoding: data, as: UTF8.self) == "\(count)")
        }
        self.trail.close()
        let parts = try self.details("request_input").dropFirst()
        #expect(parts.first?["size"] == count)
        #expect(parts.first?["cut"] == 1)
        #expect(parts.reduce(0) { $0 + ($1["body"] as String).utf8.count } == 65_536)
    }

    @Test("a body that the handler does not read is said to be incomplete, and one of a GET to be empty")
    func unread() async throws {
        self.router.post("ignore") { _, _ in "ignored" }
        self.router.get("look") { _, _ in "seen" }
        try await withServer(self.router) { server in
            _ = try await server.send("POST", "/ignore", body: "two teas")
            _ = try await server.send("GET", "/look")
        }
        self.trail.close()
        let input = try self.details("request_input")
        #expect(input.map { $0["incomplete"] as Int? } == [nil, 1, nil])
        #expect(input.last?["size"] == 0)
    }

    @Test("a route of a lower level leaves neither")
    func route() async throws {
        self.router.get("plain") { _, _ in "seen" }
        try await withServer(self.router) { server in _ = try await server.send("GET", "/plain") }
        self.trail.close()
        #expect(try self.details("request_input").isEmpty)
        #expect(try self.details("response_output").isEmpty)
    }
}
