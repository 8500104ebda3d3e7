// Reads that come too late: a typed error, and a problem in the trail.

import Contrail
import ContrailRecorder
import Testing

@Suite("Stale reads")
struct StaleReadTests {
    private let desk = Desk()

    @Test("A task that outlives the scope gets contextEnded, each read leaves a problem, and the optional readers nil.")
    func outlivesTheScope() async throws {
        let ended = Gate()
        let task = await withRequestContext(self.desk.app, get()) { _ async in
            Task {
                await ended.wait()
                return [
                    code { _ = try Current.app }, code { _ = try Current.g }, code { _ = try Current.request },
                    Current.context == nil ? nil : .missingKey, Current.requestContext == nil ? nil : .missingKey,
                ]
            }
        }
        ended.open()
        #expect(await task.value == [.contextEnded, .contextEnded, .contextEnded, nil, nil])
        let problems = self.desk.events().problems
        #expect(problems.map(\.problem.kind) == Array(repeating: .staleRead, count: 5))
        #expect(problems.allSatisfy { $0.event.context == 2 })
    }

    @Test("Closed is found before the owner is asked for: the same task reads too late as well.")
    func sameTask() async throws {
        let scope = ContextScope(AppContext(self.desk.app), worker: nil, site: Site())
        try await scope.enter()
        let late = try await scope.run { () async throws in
            await scope.finish(.ok)
            return code { _ = try Current.app }
        }
        #expect(late == .contextEnded)
    }

    @Test("A scope that a child opened on its parent's app context ends with the parent's.")
    func reusedAppContext() async {
        let opened = Gate()
        let ended = Gate()
        let task = await withAppContext(self.desk.app) { _ async in
            let task = Task {
                await withRequestContext(self.desk.app, get()) { _ async in
                    opened.open()
                    await ended.wait()
                    return code { _ = try Current.app }
                }
            }
            await opened.wait()
            return task
        }
        ended.open()
        #expect(await task.value == .contextEnded)
    }

    @Test("A scope opened in one that has ended does not reuse the dead app context.")
    func nestedInTheDead() async {
        let opened = Gate()
        let ended = Gate()
        let task = await withAppContext(self.desk.app) { outer async in
            let task = Task {
                await withRequestContext(self.desk.app, get()) { first async in
                    #expect(first.appContext === outer)
                    opened.open()
                    await ended.wait()
                    return await withRequestContext(self.desk.app, get()) { second async in
                        #expect(Current.context === second.appContext)
                        return second.appContext !== outer
                    }
                }
            }
            await opened.wait()
            return task
        }
        ended.open()
        #expect(await task.value)
    }

    @Test("A request that was seen through app contexts in between ends with its own scope.")
    func requestThroughTwoScopes() async {
        let ended = Gate()
        let opened = Gate()
        let desk = self.desk
        let task = await withRequestContext(desk.app, get()) { _ async in
            let task = Task {
                await withAppContext(Desk().app) { _ async in
                    await withAppContext(Desk().app) { inner async in
                        #expect(Current.requestContext != nil)
                        opened.open()
                        await ended.wait()
                        #expect(Current.context === inner)
                        return code { _ = try Current.request }
                    }
                }
            }
            await opened.wait()
            return task
        }
        ended.open()
        #expect(await task.value == .contextEnded)
    }

    @Test("A mark outside a context does nothing; inside it belongs to the request.")
    func marks() {
        Current.mark("nowhere")
        withRequestContext(self.desk.app, get()) { _ in Current.mark("here") }
        let marks = self.desk.events().filter { $0.kind == .mark }
        #expect(marks.map(\.context) == [2])
    }
}
