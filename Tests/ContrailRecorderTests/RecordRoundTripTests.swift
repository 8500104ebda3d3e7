// Every kind of record, written into a ring and read back.

import ContrailRecorder
import Testing

/// Records one event and takes it again.
private func roundTrip(
    capacity: Int = 64,
    worker: (kind: String?, number: Int64) = ("conn", 3),
    _ record: (FlightRecorder, RecordHead) -> Void
) throws -> TrailEvent {
    let recorder = FlightRecorder(configuration: .init(capacity: capacity))
    recorder.withHead(
        context: 7,
        workerKind: worker.kind,
        workerNumber: worker.number,
        epoch: 9,
        thread: 11,
        time: 123_456_789
    ) { record(recorder, $0) }
    return try #require(recorder.takeEvent())
}

@Suite("Records")
struct RecordRoundTripTests {
    private let site = Site(fileID: "Orders/App.swift", line: 12)

    @Test("What every record carries comes back.")
    func head() throws {
        let event = try roundTrip { $0.recordRecycle($1, before: 8, variablesDropped: 2) }
        #expect(event.seq == 1)
        #expect(event.context == 7)
        #expect(event.worker == TrailEvent.WorkerLabel(kind: "conn", number: 3))
        #expect(event.epoch == 9)
        #expect(event.thread == 11)
        #expect(event.monotonicNanoseconds == 123_456_789)
        guard case .recycle(let recycle) = event.body else {
            Issue.record("\(event.kind)")
            return
        }
        #expect(recycle.before == 8)
        #expect(recycle.after == 9)
        #expect(recycle.variablesDropped == 2)
    }

    @Test(
        "Workers of every number and kind come back, also without a kind.",
        arguments: [
            ("conn", 0), ("conn", -1), ("conn", Int64.max), ("conn", Int64.min), ("conn", Int64(UInt32.max)),
            ("conn", Int64(UInt32.max) - 1), (String(repeating: "w", count: 300), 5), ("", 1),
        ] as [(String, Int64)]
    )
    func workers(kind: String, number: Int64) throws {
        let event = try roundTrip(worker: (kind, number)) { $0.recordMark($1, name: "m", site: self.site) }
        #expect(event.worker?.number == number)
        #expect(event.worker?.kind.text == String(kind.prefix(256)))
        guard case .mark(let name, let site) = event.body else {
            Issue.record("\(event.kind)")
            return
        }
        #expect(name == "m")
        #expect(site == "Orders/App.swift:12")
    }

    @Test("An event without a worker has none.")
    func noWorker() throws {
        let event = try roundTrip(worker: (nil, 0)) { $0.recordMark($1, name: "m", site: self.site) }
        #expect(event.worker == nil)
    }

    @Test("A push of an app context comes back.")
    func appPush() throws {
        let event = try roundTrip {
            $0.recordAppPush(
                $1,
                depth: 3,
                origin: .manual,
                app: $0.app("orders"),
                named: "orders",
                parent: 4,
                site: self.site
            )
        }
        guard case .appPush(let push) = event.body else {
            Issue.record("\(event.kind)")
            return
        }
        #expect(push.depth == 3)
        #expect(push.origin == .manual)
        #expect(push.app == "orders")
        #expect(push.parent == 4)
        #expect(push.site == "Orders/App.swift:12")
        #expect(push.request == nil)
    }

    @Test("A push of a request context comes back, with texts cut to their limits on whole characters.")
    func requestPush() throws {
        let long = String(repeating: "é", count: 200)
        let event = try roundTrip {
            $0.recordRequestPush(
                $1,
                depth: 1,
                origin: .http,
                app: $0.app("orders"),
                named: "orders",
                parent: nil,
                site: self.site,
                request: .init(method: "GET", path: "/" + long, endpoint: "/{id}", requestID: "", traceID: long)
            )
        }
        guard case .requestPush(let push) = event.body, let request = push.request else {
            Issue.record("\(event.kind)")
            return
        }
        #expect(push.origin == .http)
        #expect(push.parent == nil)
        #expect(request.method == "GET")
        #expect(request.path == "/" + String(repeating: "é", count: 95))
        #expect(request.endpoint == "/{id}")
        #expect(request.requestID == "")
        #expect(request.traceID == String(repeating: "é", count: 64))
    }

    @Test("A request without endpoint and ids has none.")
    func bareRequest() throws {
        let event = try roundTrip {
            $0.recordRequestPush(
                $1,
                depth: 1,
                origin: .test,
                app: $0.app("orders"),
                named: "orders",
                parent: nil,
                site: self.site,
                request: .init(method: "", path: "", endpoint: nil, requestID: nil, traceID: nil)
            )
        }
        guard case .requestPush(let push) = event.body, let request = push.request else {
            Issue.record("\(event.kind)")
            return
        }
        #expect(request.method == "")
        #expect(request.path == "")
        #expect(request.endpoint == nil)
        #expect(request.requestID == nil)
        #expect(request.traceID == nil)
    }

    @Test("Pops come back with every outcome, with and without an error.", arguments: TrailEvent.Outcome.allCases)
    func pops(outcome: TrailEvent.Outcome) throws {
        for error in [nil, "", "boom"] {
            let event = try roundTrip {
                $0.recordPop(
                    $1,
                    isRequest: true,
                    remaining: 2,
                    outcome: outcome,
                    error: error,
                    duration: .max,
                    site: self.site
                )
            }
            guard case .requestPop(let pop) = event.body else {
                Issue.record("\(event.kind)")
                return
            }
            #expect(pop.remaining == 2)
            #expect(pop.outcome == outcome)
            #expect(pop.error == error)
            #expect(pop.durationNanoseconds == .max)
            #expect(pop.site == "Orders/App.swift:12")
        }
    }

    @Test("Hooks come back, with and without an error, also one whose name is too long for the dictionary.")
    func teardowns() throws {
        for (hook, error) in [("close", nil), ("close", "boom"), (String(repeating: "h", count: 400), "x")] {
            let event = try roundTrip {
                $0.recordTeardown(
                    $1,
                    $0.hook(hook, at: self.site),
                    hook: hook,
                    position: 5,
                    duration: 77,
                    error: error,
                    site: self.site
                )
            }
            guard case .teardown(let teardown) = event.body else {
                Issue.record("\(event.kind)")
                return
            }
            #expect(teardown.hook.text == String(hook.prefix(256)))
            #expect(teardown.position == 5)
            #expect(teardown.durationNanoseconds == 77)
            #expect(teardown.error == error)
        }
    }

    private static let values: [RecordedValue] = [
        .null, .bool(true), .bool(false), .integer(.min), .integer(-1), .double(-0.0), .double(.pi), .text(""),
        .text("naïve"), .described(type: "Orders.Cart", size: nil), .described(type: "String", size: 41), .redacted,
    ]

    @Test("Values of g come back as they were, of every sort.", arguments: Self.values)
    func sets(value: RecordedValue) throws {
        let event = try roundTrip { $0.recordSet($1, key: $0.name("user"), value: value, site: self.site) }
        guard case .gSet(let key, let stored, let site) = event.body else {
            Issue.record("\(event.kind)")
            return
        }
        #expect(key == "user")
        #expect(key.entry != 0)
        #expect(stored == value)
        #expect(site == "Orders/App.swift:12")
    }

    @Test("A snapshot comes back whole, in its order.")
    func snapshot() throws {
        let event = try roundTrip { recorder, head in
            let values = Self.values.enumerated().map { (recorder.name("k\($0.offset)"), $0.element) }
            recorder.recordSnapshot(head, label: "before", values: values)
        }
        guard case .gSnapshot(let snapshot) = event.body else {
            Issue.record("\(event.kind)")
            return
        }
        #expect(snapshot.label == "before")
        #expect(snapshot.values.map(\.value) == Self.values)
        #expect(snapshot.values.map(\.name.text) == Self.values.indices.map { "k\($0)" })
        #expect(snapshot.omitted == 0)
    }

    @Test("A snapshot of more than fits says how much it left out.")
    func largeSnapshot() throws {
        let event = try roundTrip(capacity: 4096) { recorder, head in
            let value = RecordedValue.text(String(repeating: "x", count: 40))
            recorder.recordSnapshot(head, label: "", values: (0..<5000).map { (recorder.name("k\($0)"), value) })
        }
        guard case .gSnapshot(let snapshot) = event.body else {
            Issue.record("\(event.kind)")
            return
        }
        #expect(snapshot.values.count > 500)
        #expect(snapshot.values.count + snapshot.omitted == 5000)
        #expect(snapshot.values.indices.allSatisfy { snapshot.values[$0].name.text == "k\($0)" })
    }

    @Test("Problems come back, with and without what is optional.", arguments: EventKind.problems)
    func problems(kind: EventKind) throws {
        for isFull in [true, false] {
            let event = try roundTrip {
                $0.recordProblem(
                    $1,
                    .init(
                        kind: kind,
                        other: isFull ? 8 : nil,
                        message: "what to do",
                        site: self.site,
                        ownerSite: isFull ? Site(fileID: "Orders/Other.swift", line: 3) : nil,
                        ageNanoseconds: isFull ? 0 : nil
                    )
                )
            }
            guard case .problem(let problem) = event.body else {
                Issue.record("\(event.kind)")
                return
            }
            #expect(problem.kind == kind)
            #expect(problem.other == (isFull ? 8 : nil))
            #expect(problem.message == "what to do")
            #expect(problem.site == "Orders/App.swift:12")
            #expect(problem.ownerSite == (isFull ? "Orders/Other.swift:3" : nil))
            #expect(problem.ageNanoseconds == (isFull ? 0 : nil))
        }
    }

    @Test("Deletions, hand-offs, failed signals and failed steps come back.")
    func named() throws {
        let site = self.site
        func body(_ record: (FlightRecorder, RecordHead) -> Void) throws -> String {
            "\(try roundTrip(record).body)"
        }
        #expect(try body { $0.recordDelete($1, key: $0.name("user"), site: site) }.contains("user"))
        #expect(try body { $0.recordHandoff($1, name: "mail", site: site) }.contains("mail"))
        #expect(try body { $0.recordSignalFailure($1, signal: "request_started", error: "boom") }.contains("boom"))
        #expect(try body { $0.recordFailure($1, step: "save session", error: "boom") }.contains("save session"))
    }

    @Test("When the dictionary is full, names are written out and come back all the same.")
    func fullDictionary() throws {
        let recorder = FlightRecorder(configuration: .init(capacity: 64))
        for number in 0..<200 {
            let site = Site(fileID: "Orders/App.swift", line: UInt(number))
            recorder.withHead(
                context: 1,
                workerKind: "worker\(number)",
                workerNumber: 1,
                epoch: 1,
                thread: 1,
                time: 1
            ) {
                recorder.recordAppPush(
                    $0,
                    depth: 1,
                    origin: .manual,
                    app: recorder.app("app\(number)"),
                    named: "app\(number)",
                    parent: nil,
                    site: site
                )
                recorder.recordTeardown(
                    $0,
                    recorder.hook("hook\(number)", at: site),
                    hook: "hook\(number)",
                    position: 1,
                    duration: 1,
                    error: nil,
                    site: site
                )
            }
            let push = try #require(recorder.takeEvent())
            let teardown = try #require(recorder.takeEvent())
            guard case .appPush(let body) = push.body, case .teardown(let hook) = teardown.body else {
                Issue.record("\(push.kind) \(teardown.kind)")
                return
            }
            #expect(push.worker?.kind.text == "worker\(number)")
            #expect(body.app.text == "app\(number)")
            #expect(body.site.text == "Orders/App.swift:\(number)")
            #expect(hook.hook.text == "hook\(number)")
            if number > 100 { #expect(body.app.entry == 0) }
        }
    }

    @Test("Names are the same entry from every thread.")
    func sharedEntries() async {
        let recorder = FlightRecorder()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for number in 0..<300 {
                        recorder.recordAppPush(
                            RecordHead(),
                            depth: 1,
                            origin: .manual,
                            app: recorder.app("app\(number)"),
                            named: "app\(number)",
                            parent: nil,
                            site: Site(fileID: "Orders/App.swift", line: UInt(number))
                        )
                    }
                }
            }
        }
        var entries: [String: Set<UInt16>] = [:]
        while let event = recorder.takeEvent() {
            guard case .appPush(let push) = event.body else { continue }
            entries[push.app.text, default: []].insert(push.app.entry)
            entries[push.site.text, default: []].insert(push.site.entry)
        }
        #expect(entries.count == 600)
        #expect(entries.values.allSatisfy { $0.count == 1 && !$0.contains(0) })
    }
}
