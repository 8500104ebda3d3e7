// What a task allocates around a scope is given back in the order it was asked for: a runtime that finds another order stops the
// process. The async forms are inlined into their callers, whatever those keep and return.

import ContextVariables
import Contrail
import Testing

@Suite("The memory of a task", .timeLimit(.minutes(5)))
struct TaskMemoryTests {
    private let desk = Desk()

    private struct Wide: Sendable, Equatable {
        var words = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        var text = "wide"

        static func == (left: Wide, right: Wide) -> Bool { left.text == right.text && left.words.15 == right.words.15 }
    }

    private struct Failed<Value: Sendable>: Error { let value: Value }

    /// A scope in a function that knows neither what it returns nor what it throws, with values of that type before, inside and
    /// behind it.
    private func through<Value: Sendable>(_ value: Value, depth: Int, fails: Bool) async throws(Failed<Value>)
        -> [Value]
    {
        let before = value
        let inside = try await withAppContext(self.desk.app) { context async throws(Failed<Value>) -> [Value] in
            let kept = (before, depth, value)
            await Task.yield()
            guard depth > 0 else {
                if fails { throw Failed(value: kept.0) }
                return [kept.2]
            }
            let below = try await withRequestContext(self.desk.app, get()) { _ async throws(Failed<Value>) -> [Value] in
                await Task.yield()
                return try await self.through(kept.0, depth: depth - 1, fails: fails)
            }
            return below + [kept.2]
        }
        let behind = value
        return inside + [behind]
    }

    private func check<Value: Sendable & Equatable>(_ value: Value) async {
        for depth in 0..<5 {
            do throws(Failed<Value>) {
                let found = try await self.through(value, depth: depth, fails: false)
                #expect(found == Array(repeating: value, count: 2 * depth + 2))
            } catch {
                Issue.record("\(Value.self) failed")
            }
            do throws(Failed<Value>) {
                _ = try await self.through(value, depth: depth, fails: true)
                Issue.record("\(Value.self) did not fail")
            } catch {
                #expect(error.value == value)
            }
        }
        #expect(Current.context == nil)
    }

    @Test("Scopes nest in generic callers, with results and errors of any size.")
    func sizes() async {
        await self.check(true)
        await self.check(7)
        await self.check("text")
        await self.check(Wide())
        await self.check([Wide(), Wide()])
        await self.check(Optional.some(Wide()))
    }

    @Test("The same in many tasks at once, some of them cancelled.")
    func manyTasks() async {
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<32 {
                group.addTask { await self.check(number % 2 == 0 ? "a" : "b") }
                group.addTask { await self.check(Wide()) }
                if number == 16 { group.cancelAll() }
            }
        }
    }
}
