// The code of the article on recycling.

import ContextVariables
import Contrail
import Testing

@Suite("The article on recycling")
struct RecyclingArticle {
    static let plugins = RecyclableVariable<[Plugin]>("plugins")

    private static func fetchPlugins() async throws -> [Plugin] { [Plugin(name: "search")] }

    private static func installedPlugins() async throws -> [Plugin] {
        try await plugins.getOrLoad {
            try await fetchPlugins()  // once in a unit, whoever asks
        }
    }

    @Test("Its table is loaded once in each unit.")
    func loaded() async throws {
        let app = App("orders")
        try await withRequestContext(app, get()) { _ async throws in
            #expect(try await Self.installedPlugins() == [Plugin(name: "search")])
            #expect(try Self.plugins.get().count == 1)
        }
        #expect(Self.plugins.miss == .outsideUnit)
    }

    @Test("Its job loop gives each job a unit of its own.")
    func jobs() async throws {
        let misses = Log()
        func ship(_ job: Int) throws {
            misses.add("\(Self.plugins.miss == nil)")
            try Self.plugins.set([])
        }
        let worker = Worker(kind: "job:ship", number: 0)
        for job in 1...3 {
            try worker.run { try ship(job) }
        }
        #expect(misses.lines == ["false", "false", "false"])
    }

    @Test("Its read that misses says why.")
    func misses() throws {
        let plugins = Self.plugins
        let worker = Worker(kind: "job:ship", number: 1)
        var seen: [VariableError.Code] = []
        try worker.run { () throws in
            do throws(VariableError) {
                _ = try plugins.get()
            } catch {
                seen.append(error.code)  // neverSet, recycled or outsideUnit
            }
        }
        #expect(seen == [.neverSet])
    }

    @Test("Its policy keeps what was set at boot, and keeps values out of hand-offs.")
    func policies() throws {
        let settings = RecyclableVariable<String>(
            "settings",
            policy: RecyclablePolicy(bootValues: .surviveFirstRecycle, handOff: .withheld)
        )
        let worker = Worker(kind: "job:ship", number: 2)
        try worker.run { () throws in
            try settings.set("loaded")
            #expect(try VariableSnapshot().run { settings.get(default: "withheld") } == "withheld")
        }
    }
}
