// The seam for the room above: which scope takes context layers, and who carries them on.

import ContextVariables
import Synchronization
import Testing

@Suite("Layers")
struct LayerTests {
    /// Layers as the room above might have them, with nothing in them but who made and who owns them.
    private final class Layers: ScopeLayers {
        let origin: String
        private let owner: Mutex<ExecutionID>

        init(_ origin: String, owner: ExecutionID = ExecutionID.current) {
            self.origin = origin
            self.owner = Mutex(owner)
        }

        var pushCount: Int { 0 }

        var isMine: Bool { self.owner.withLock { $0 == ExecutionID.current } }

        func pushedUnit(above floor: Int) -> WorkUnit? { nil }

        var ownerHere: (any ScopeOwner)? { nil }

        func noteBootValue(_ read: BootValueRead) {}

        func captured() -> any ScopeLayers { Layers("captured \(self.origin)") }

        func enter(by owner: ExecutionID) { self.owner.withLock { $0 = owner } }
    }

    private static var visible: String? { (Scope.currentLayers as? Layers)?.origin }

    private static func set(_ origin: String) -> Bool {
        Scope.setLayers(Layers(origin), for: ExecutionID.current) != nil
    }

    @Test("A task without a scope cannot take layers.")
    func noScope() {
        #expect(!Self.set("a"))
        #expect(Self.visible == nil)
    }

    @Test("A scope takes its layers once, and they end with it.")
    func once() throws {
        try inUnit { () throws in
            #expect(Self.set("a"))
            #expect(!Self.set("b"))
            #expect(Self.visible == "a")
        }
        #expect(Self.visible == nil)
    }

    @Test("A scope of variables shares the layers of the scope it is nested in, also those that come later.")
    func variables() throws {
        let variable = ContextVariable("n", default: 0)
        try inUnit { () throws in
            #expect(variable.withValue(1) { Self.set("a") })
            #expect(Self.visible == "a")
            #expect(variable.withValue(1) { Self.visible } == "a")
        }
    }

    @Test("A child sees the layers of its parent's scope, and takes layers only in a scope of its own.")
    func children() async throws {
        let variable = ContextVariable("n", default: 0)
        try await inUnit { () async throws in
            async let refused = Self.set("child")
            #expect(await refused == false)
            async let own = variable.withValue(1) { Self.set("child") ? Self.visible : nil }
            #expect(await own == "child")
            #expect(Self.visible == nil)
            #expect(Self.set("parent"))
            async let seen = Self.visible
            #expect(await seen == "parent")
        }
    }

    @Test("The root of a bare thread takes layers, and a scope of variables there shares them.")
    func bareThread() async throws {
        let variable = ContextVariable("n", default: 0)
        let seen = try await onThread { () -> [String?] in
            let isSet = variable.withValue(1) { Self.set("root") }
            let again = Scope.setThreadRootLayers(Layers("again"), for: ExecutionID.current) != nil
            return ["\(isSet) \(again)", Self.visible]
        }
        #expect(seen == ["true false", "root"])
    }

    @Test("A snapshot carries what it captured, and hands it to whoever runs it.")
    func snapshot() async throws {
        let snapshot = try inUnit { () throws in
            #expect(Self.set("a"))
            return VariableSnapshot()
        }
        let seen = try await Task.detached {
            try snapshot.run { (Self.visible, (Scope.currentLayers as? Layers)?.isMine, Self.set("b")) }
        }.value
        #expect(seen == ("captured a", true, false))
        #expect(try await onThread { try snapshot.run { (Scope.currentLayers as? Layers)?.isMine } } == true)
    }

    @Test("What a snapshot without layers takes inside is there the next time, and nowhere else.")
    func snapshotTakesLayers() async throws {
        for snapshot in [VariableSnapshot(), VariableSnapshot.empty] {
            try inUnit { () throws in
                #expect(Self.set("around"))
                #expect(try snapshot.run { Self.visible } == nil)
                #expect(try snapshot.run { Self.set("inside") })
                #expect(Self.visible == "around")
            }
            #expect(try await onThread { try snapshot.run { Self.visible } } == "inside")
            #expect(try await onThread { Self.visible } == nil)
        }
    }

    @Test("A run on a worker captures the layers around it, or takes layers that end with it.")
    func run() throws {
        let worker = Worker(kind: "job", number: 1)
        #expect(worker.run { Self.set("a") ? Self.visible : nil } == "a")
        #expect(worker.run { Self.visible } == nil)
        try inUnit { () throws in
            #expect(Self.set("around"))
            #expect(worker.run { Self.visible } == "captured around")
        }
    }
}
