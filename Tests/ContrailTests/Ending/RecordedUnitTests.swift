// What the records of one lifetime say of its unit of work, from the push to the pop.

import ContextVariables
import Contrail
import ContrailRecorder
import HTTPTypes
import Testing

@Suite("Records of a lifetime name its unit of work.")
struct RecordedUnitTests {
    private let desk = Desk(recyclesOnRequest: false)
    private let request = HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/")

    @Test(
        "Push, hook and pop name the same worker and epoch, whatever its kind and number.",
        arguments: [
            ("conn", 17), ("conn", Int64(UInt32.max) - 1), ("conn", Int64(UInt32.max)), ("conn", -1),
            ("job:ship", Int64.max), (String(repeating: "w", count: 300), 5), ("", 0),
        ] as [(String, Int64)]
    )
    func sameWorker(kind: String, number: Int64) throws {
        try self.desk.app.teardownAppContext("close") { _, _ in }
        try self.desk.app.teardownRequest("release") { _, _ in }
        let worker = Worker(kind: kind, number: number)
        withAppContext(self.desk.app, worker: worker) { context in
            context.g["key"] = 1
            withRequestContext(self.desk.app, self.request, worker: worker) { _ in }
        }
        let events = self.desk.events()
        #expect(
            events.map(\.kind) == [
                .appPush, .gSet, .requestPush, .gSnapshot, .teardown, .requestPop, .teardown, .appPop,
            ]
        )
        for event in events {
            #expect(event.worker?.number == number, "\(event.kind)")
            #expect(event.worker?.kind.text == String(kind.prefix(256)), "\(event.kind)")
            #expect(event.epoch == worker.epoch?.rawValue, "\(event.kind)")
        }
    }

    @Test("A recorder that is turned on in the middle of a lifetime names its unit at the pop.")
    func turnedOnLater() {
        self.desk.recorder.level = .off
        let worker = Worker(kind: "conn", number: 3)
        withAppContext(self.desk.app, worker: worker) { _ in self.desk.recorder.level = .lifecycle }
        let events = self.desk.events()
        #expect(events.map(\.kind) == [.appPop])
        #expect(events.first?.worker?.number == 3)
        #expect(events.first?.epoch == worker.epoch?.rawValue)
    }

    @Test("A second lifetime of a context names the unit that it was pushed in.")
    func secondLifetime() throws {
        let context = AppContext(self.desk.app)
        let workers = [Worker(kind: "conn", number: 1), Worker(kind: "job", number: 2)]
        for worker in workers {
            try worker.run {
                try context.push()
                try context.pop()
            }
        }
        #expect(self.desk.events().map { $0.worker?.number } == [1, 1, 2, 2])
    }

    @Test("What a unit and g hold dies when their context is no longer current.")
    func valuesDieOutside() throws {
        final class Witness: Sendable {
            let log: Log

            init(_ log: Log) { self.log = log }
            deinit { self.log.add(ContextNote.here) }
        }
        let log = Log()
        let variable = RecyclableVariable<Witness>("witness")
        try withAppContext(self.desk.app) { _ throws in try variable.set(Witness(log)) }
        #expect(log.lines == ["outside"])
        withAppContext(self.desk.app) { $0.g["witness"] = Witness(log) }
        #expect(log.lines == ["outside", "outside"])
        // Through the context alone, whose scope then knows nothing of the unit.
        try withAppContext(self.desk.app) { context throws in try context.variables.set(variable, Witness(log)) }
        #expect(log.lines == ["outside", "outside", "outside"])
    }
}

/// What is current, told apart from what was and has ended.
private enum ContextNote {
    static var here: String {
        do {
            return try Current.app.name
        } catch {
            return error.code == .outsideAppContext ? "outside" : "\(error.code)"
        }
    }
}
