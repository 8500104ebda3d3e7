// g: one ordered table that tells absent from stored nil, and its views.

import Contrail
import ContrailRecorder
import Testing

private enum OrderID: NamespaceKey {
    typealias Value = Int
    static let name = "order_id"
}

private enum Coupon: NamespaceKey {
    typealias Value = String?
    static let name = "coupon"
}

@Suite("The namespace g")
struct NamespaceTests {
    private let g = AppContext(App("orders")).g

    @Test("A name that is absent is an error, a stored nil is a value.")
    func absentAndNil() throws {
        #expect(code { _ = try self.g.get("n") } == .missingKey)
        #expect(!self.g.contains("n"))
        self.g["n"] = nil
        #expect(self.g.contains("n"))
        #expect(try self.g.get("n") == nil)
        #expect(self.g.get("n", default: 1) == nil)
        #expect(self.g.get("absent", default: 1) as? Int == 1)
    }

    @Test("A value is read as the type it has.")
    func typed() throws {
        self.g["n"] = 1
        #expect(try self.g.get("n", as: Int.self) == 1)
        #expect(code { _ = try self.g.get("n", as: String.self) } == .wrongType)
        #expect(code { _ = try self.g.get("absent", as: Int.self) } == .missingKey)
    }

    @Test("Names keep the order of their insertion, and overwriting keeps the place.")
    func order() {
        for name in ["c", "a", "b"] { self.g[name] = 1 }
        self.g["a"] = 2
        #expect(self.g.names == ["c", "a", "b"])
        #expect(Array(self.g) == ["c", "a", "b"])
        self.g.pop("c", default: nil)
        self.g["c"] = 3
        #expect(self.g.names == ["a", "b", "c"])
    }

    @Test("setDefault stores only when the name is absent, and nil creates it.")
    func setDefault() {
        #expect(self.g.setDefault("n", 1) as? Int == 1)
        #expect(self.g.setDefault("n", 2) as? Int == 1)
        #expect(self.g.setDefault("empty") == nil)
        #expect(self.g.contains("empty"))
        #expect(self.g.setDefault("empty", 1) == nil)
    }

    @Test("pop removes and gives the value, and tells absent from nil.")
    func pop() throws {
        self.g["n"] = 1
        #expect(try self.g.pop("n") as? Int == 1)
        #expect(code { try self.g.pop("n") } == .missingKey)
        #expect(self.g.pop("n", default: 7) as? Int == 7)
        #expect(self.g.pop("n", default: nil) == nil)
        self.g["n"] = nil
        #expect(self.g.pop("n", default: 7) == nil)
    }

    @Test("remove needs the name to be there.")
    func remove() throws {
        self.g["n"] = 1
        try self.g.remove("n")
        #expect(code { try self.g.remove("n") } == .missingKey)
    }

    @Test("Dynamic members and names are views of one table.")
    func dynamicMembers() {
        self.g.user = "u"
        #expect(self.g["user"] as? String == "u")
        self.g["user"] = nil
        #expect(self.g.user == nil)
        #expect(self.g.contains("user"))
    }

    @Test("A typed key is a view of its name, and setting nil removes it.")
    func typedKeys() {
        #expect(self.g[OrderID.self] == nil)
        self.g[OrderID.self] = 42
        #expect(self.g["order_id"] as? Int == 42)
        self.g[OrderID.self] = nil
        #expect(!self.g.contains("order_id"))
        self.g["order_id"] = "text"
        #expect(self.g[OrderID.self] == nil)
    }

    @Test("A typed key of an optional tells absent from stored nil.")
    func typedOptionalKeys() {
        #expect(self.g[Coupon.self] == String??.none)
        self.g[Coupon.self] = .some(nil)
        #expect(self.g[Coupon.self] == String??.some(nil))
        #expect(self.g.contains("coupon"))
    }

    @Test("Many writers at once lose nothing.")
    func concurrentWriters() async {
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask {
                    for index in 0..<100 { self.g["\(number).\(index)"] = index }
                    self.g.setDefault("shared", number)
                }
            }
        }
        #expect(self.g.names.count == 1601)
    }

    @Test(
        "A value that dies may use g: it is released outside the lock, however it leaves.",
        .timeLimit(.minutes(5)),
        arguments: [FlightRecorder.Level.off, .lifecycle, .full, .replay]
    )
    func deinitMayUse(level: FlightRecorder.Level) async throws {
        // On a thread of its own: a lock that is taken twice would stop it, and not the others.
        try await onThread {
            let log = Log()
            withAppContext(Desk(level: level).app) { context in
                let g = context.g
                let held = { (name: String) in
                    Dying { [weak context] in
                        guard let g = context?.g else { return }
                        log.add(name)
                        g["died"] = name
                        _ = g["x"]
                        g.pop("died", default: nil)
                        g.setDefault("died", g.names.count)
                        g.snapshot("death")
                    }
                }
                g["x"] = held("replaced")
                g["x"] = held("replaced by nil")
                g["x"] = nil
                g.pop("x", default: nil)
                g.x = held("popped")
                g.pop("x", default: nil)
                g.x = held("removed")
                try? g.remove("x")
                g.setDefault("x", held("kept"))
                g.setDefault("x", held("refused"))
                g.pop("x", default: nil)
                g[DyingKey.self] = held("typed, replaced")
                g[DyingKey.self] = held("typed, removed")
                g[DyingKey.self] = nil
                g["api_token"] = held("secret")
                g["api_token"] = 1
            }
            let ways = [
                "replaced", "replaced by nil", "popped", "removed", "refused", "kept", "typed, replaced",
                "typed, removed",
                "secret",
            ]
            #expect(log.lines == ways)
        }
    }

    /// Says when it dies.
    private final class Dying: Sendable {
        private let onDeath: @Sendable () -> Void
        init(_ onDeath: @escaping @Sendable () -> Void) { self.onDeath = onDeath }
        deinit { self.onDeath() }
    }

    private enum DyingKey: NamespaceKey {
        typealias Value = Dying
        static let name = "typed"
    }
}

@Suite("The trail of g")
struct NamespaceTrailTests {
    private let desk = Desk()

    private func snapshots(_ body: (AppContext) throws -> Void) rethrows -> [(label: String, names: [String])] {
        try withAppContext(self.desk.app) { context throws in try body(context) }
        return self.desk.events().snapshots.map { ($0.snapshot.label, $0.snapshot.values.map(\.name.text)) }
    }

    @Test("Every change leaves its key, value, writer's site and lifetime.")
    func changes() throws {
        let line = #line + 2
        withRequestContext(self.desk.app, get()) { request in
            Current.context?.g["n"] = 1
            Current.context?.g[OrderID.self] = 7
            Current.context?.g.setDefault("d", true)
            Current.context?.g.setDefault("d", false)
            Current.context?.g.pop("n", default: nil)
            Current.context?.g.pop("absent", default: nil)
        }
        let changes = self.desk.events().compactMap { event -> String? in
            switch event.body {
            case .gSet(let key, let value, let site): "\(key) \(value) \(site.line) \(event.context ?? 0)"
            case .gDelete(let key, let site): "\(key) - \(site.line) \(event.context ?? 0)"
            default: nil
            }
        }
        #expect(
            changes == [
                "n integer(1) \(line) 1", "order_id integer(7) \(line + 1) 1", "d bool(true) \(line + 2) 1",
                "n - \(line + 4) 1",
            ]
        )
    }

    @Test("A secret is redacted in the change and in the snapshot.")
    func redaction() {
        withAppContext(self.desk.app) { context in
            context.g["api_token"] = "abc"
            context.g["url"] = "/cb?token=abc"
            context.g["user"] = "u"
        }
        let events = self.desk.events()
        let set = events.compactMap { if case .gSet(_, let value, _) = $0.body { value } else { nil } }
        #expect(set == [.redacted, .redacted, .text("u")])
        #expect(events.snapshots.first?.snapshot.values.map(\.value) == [.redacted, .redacted, .text("u")])
        #expect(!"\(events)".contains("abc"))
    }

    @Test("The end of a lifetime writes g down before the first hook.")
    func beforeTheFirstHook() throws {
        try self.desk.app.teardownAppContext { context, _ in context.g["late"] = 1 }
        withAppContext(self.desk.app) { $0.g["n"] = 1 }
        let events = self.desk.events()
        #expect(events.map(\.kind) == [.appPush, .gSet, .gSnapshot, .gSet, .teardown, .appPop])
        #expect(events.snapshots.first?.snapshot.label == "teardown")
    }

    @Test("A failure has a snapshot labelled so, at the request, once.")
    func failure() throws {
        #expect(throws: Boom.self) {
            try withRequestContext(self.desk.app, get()) { request throws in
                try request.g["n"] = 1
                throw Boom()
            }
        }
        let snapshots = self.desk.events().snapshots
        #expect(snapshots.map(\.snapshot.label) == ["failure"])
        #expect(snapshots.map(\.event.context) == [2])
    }

    @Test("An empty g and an unchanged one are not written down.")
    func unchanged() {
        withAppContext(self.desk.app) { context in
            withRequestContext(self.desk.app, get()) { _ in }
            context.g["n"] = 1
            withRequestContext(self.desk.app, get()) { _ in }
            withRequestContext(self.desk.app, get()) { _ in }
        }
        #expect(self.desk.events().snapshots.count == 1)
    }

    @Test("A snapshot on demand has the caller's label, and does not stand for the one at the end.")
    func onDemand() {
        let snapshots = self.snapshots { context in
            context.g.snapshot("empty")
            context.g["n"] = 1
            context.g.snapshot("before")
        }
        #expect(snapshots.map(\.label) == ["empty", "before", "teardown"])
        #expect(snapshots.map(\.names) == [[], ["n"], ["n"]])
    }

    @Test("A request that fails is written down though g has not changed since the last one ended.")
    func failureAfterOthers() {
        try? withAppContext(self.desk.app) { context throws in
            context.g["n"] = 1
            withRequestContext(self.desk.app, get()) { _ in }
            try withRequestContext(self.desk.app, get()) { _ throws in throw Boom() }
        }
        let snapshots = self.desk.events().snapshots
        #expect(snapshots.map(\.snapshot.label) == ["teardown", "failure"])
        #expect(snapshots.map(\.event.context) == [2, 3])
    }
}
