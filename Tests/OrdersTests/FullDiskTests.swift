// A service under load whose trail has no room.

import Foundation
import NIOCore
import NIOHTTP1
import ProcessSupport
import Testing

extension OrdersTests {
    @Suite(
        "Without room for the trail",
        .timeLimit(.minutes(3)),
        .enabled(if: SmallDisk.isPossible, "mounting needs root")
    )
    struct FullDiskTests {
        @Test("On a full file system every request is answered, and the trail is whole when there is room again")
        func fullFileSystem() async throws {
            try await SmallDisk.with(bytes: 48 << 20) { disk in
                try await TemporaryDirectory.with { directory in
                    let service = try await Self.start(in: directory, trail: "\(disk)/contrail.sqlite")
                    defer { service.program.send(SIGKILL) }
                    try await Self.order(20, from: service)
                    // Everything is stored while there is room: what were still on its way would meet the full disk at once.
                    try await service.settle()
                    #expect(try await service.postmortem.get("/readyz").status == 200)
                    let filler = try SmallDisk.fill(disk)
                    try await Self.serve(service, until: "disk_full") {
                        try FileManager.default.removeItem(atPath: filler)
                    }
                    try await Self.check(service, trail: "\(disk)/contrail.sqlite")
                }
            }
        }

        private static func start(
            in directory: TemporaryDirectory,
            trail: String
        ) async throws -> OrdersService {
            let arguments = ["--port", "0", "--database", "orders.sqlite", "--trail", trail]
            let program = try Program("Orders", arguments, in: directory)
            return OrdersService(program: program, port: try await program.listeningPort(), directory: directory)
        }

        /// Sends orders and questions from several clients; every one must be answered.
        private static func order(_ count: Int, from service: OrdersService) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await HTTPConnection.open(port: service.port) { connection in
                            for _ in 0..<(count / 4) {
                                let body = #"{"item":"tea","quantity":1}"#
                                let order = try await connection.send(.POST, "/orders", body: body)
                                let list = try await connection.send(.GET, "/orders")
                                #expect(order.status == 201 && list.status == 200)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        private static func writing(_ service: OrdersService) async throws -> JSONValue {
            try await service.postmortem.get("/v1/stats").json["writing"]
        }

        /// Loads the service until it cannot store anything, and on; then makes room and waits until everything is stored.
        private static func serve(_ service: OrdersService, until reason: String, makeRoom: () throws -> Void)
            async throws
        {
            try await eventually("nothing can be stored", within: .seconds(60)) {
                try await Self.order(20, from: service)
                return try await Self.writing(service)["degradation"] == .text(reason) ? () : nil
            }
            try await Self.order(200, from: service)
            let stats = try await Self.writing(service)
            #expect(stats["degradation"] == .text(reason))
            let waiting = try #require(stats["events"]["waiting"].integer)
            #expect(waiting > 1000)
            #expect(try await service.postmortem.get("/readyz").status == 503)
            let metrics = String(buffer: try await service.postmortem.get("/metrics").body)
            #expect(metrics.contains("contrail_degraded{reason=\"\(reason)\"} 1\n"))
            try makeRoom()
            try await service.settle()
            #expect(try await Self.writing(service)["degradation"] == .null)
            #expect(try await service.postmortem.get("/readyz").status == 200)
        }

        /// The account closes, and the trail has every number.
        private static func check(_ service: OrdersService, trail: String) async throws {
            try await Self.order(20, from: service)
            try await service.settle()
            let events = try await Self.writing(service)["events"]
            let (produced, stored) = try (#require(events["produced"].integer), #require(events["stored"].integer))
            let dropped = try #require(events["dropped"].integer)
            #expect(produced == stored + dropped)
            let sql = "SELECT max(seq), count(*), sum(iif(kind = 'drop', detail ->> '$.count', 0)) FROM events"
            #expect(try await SQLiteShell.lines(sql, in: trail) == ["\(produced)|\(stored)|\(dropped)"])
            #expect(service.program.errors.lines.count { $0.contains("cannot write the trail") } == 1)
            #expect(try await service.stop() == .exited(0))
            #expect(try await SQLiteShell.lines("PRAGMA integrity_check", in: trail) == ["ok"])
        }
    }
}
