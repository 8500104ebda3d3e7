// Threads: their id is the kernel's, and what they keep dies with them.

import ContextVariables
import Foundation
import Testing

@Suite("Threads")
struct ThreadTests {
    #if os(Linux)
    @Test("The id of a thread is the one the kernel knows it by.")
    func kernelID() async throws {
        let name = try await onThread {
            try Data("contrail-probe".utf8).write(to: URL(filePath: "/proc/thread-self/comm"))
            let path = "/proc/self/task/\(ThreadState.current.threadID)/comm"
            return try String(contentsOfFile: path, encoding: .utf8)
        }
        #expect(name == "contrail-probe\n")
    }
    #endif

    @Test("What a bare thread holds is released when the thread ends.")
    func releasedWithTheThread() async throws {
        let held = ContextVariable<Probe>("held")
        let died = Gate()
        try await onThread { _ = try held.set(Probe { died.open() }) }
        await died.wait()
    }

    @Test("A new thread knows nothing of what was set on another.")
    func freshThread() async throws {
        let variable = ContextVariable("n", default: 0)
        _ = try await onThread { try variable.set(1) }
        #expect(try await onThread { try variable.get() } == 0)
    }

    @Test("A task is told from the thread it runs on.")
    func identity() async throws {
        #expect(ExecutionID.isInTask)
        let own = ExecutionID.current
        async let child = ExecutionID.current
        #expect(await child != own)
        #expect(try await onThread { ExecutionID.isInTask } == false)
    }
}
