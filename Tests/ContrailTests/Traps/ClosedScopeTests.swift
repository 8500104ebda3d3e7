// A scope that closes while others are reading it: each of their reads is whole, and none finds it open again.

import ContextVariables
import Contrail
import ContrailRecorder
import Testing

@Suite("Closed scopes")
struct ClosedScopeTests {
    private let desk = Desk(level: .off)
    private static let readers = 8

    /// Reads until it is refused, and then some: what was refused must stay refused. Gives the codes it got.
    private static func read(_ started: Counter, _ all: Gate) async -> Set<ContextError.Code?> {
        var codes: Set<ContextError.Code?> = []
        var refused = 0
        while refused < 10 {
            let code = code { _ = try Current.g["n"] }
            codes.insert(code)
            if code != nil {
                refused += 1
            } else if refused > 0 {
                Issue.record("what was closed is open again")
                break
            }
            if started.next() == Self.readers { all.open() }
            await Task.yield()
        }
        return codes
    }

    @Test("Tasks that read while their scope closes get the context until then, and contextEnded from then on.")
    func unstructuredReaders() async {
        for _ in 0..<20 {
            let (started, all) = (Counter(), Gate())
            let tasks = await withRequestContext(self.desk.app, get()) { request async in
                request.appContext?.g["n"] = 1
                let tasks = (0..<Self.readers).map { _ in Task { await Self.read(started, all) } }
                await all.wait()
                return tasks
            }
            for task in tasks {
                let codes = await task.value
                #expect(codes.contains(.contextEnded))
                #expect(codes.isSubset(of: [nil, .contextEnded]))
            }
        }
    }

    @Test("Borrowers that read while the owner ends get the context until then, and borrowOutlived from then on.")
    func borrowers() async throws {
        for _ in 0..<20 {
            let (started, all) = (Counter(), Gate())
            let tasks = try await withRequestContext(self.desk.app, get()) { _ async throws in
                let snapshot = try ContextSnapshot("read")
                let tasks = (0..<Self.readers).map { _ in
                    Task.detached { try await snapshot.run { () async in await Self.read(started, all) } }
                }
                await all.wait()
                return tasks
            }
            for task in tasks {
                do {
                    let codes = try await task.value
                    #expect(codes.contains(.borrowOutlived))
                    #expect(codes.isSubset(of: [nil, .borrowOutlived]))
                } catch {
                    // It had not begun when the owner ended.
                    #expect((error as? ContextError)?.code == .borrowOutlived)
                }
            }
        }
    }

    @Test("A child that outlives its scope keeps the g it holds, and nothing it writes there is lost.")
    func heldNamespace() async throws {
        let ended = Gate()
        let (g, task) = await withAppContext(self.desk.app) { context async in
            let g = context.g
            return (
                g,
                Task {
                    await ended.wait()
                    g["late"] = 1
                    return code { _ = try Current.g }
                }
            )
        }
        ended.open()
        #expect(await task.value == .contextEnded)
        #expect(g.contains("late"))
    }
}
