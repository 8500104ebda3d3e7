// A daemon that counts what it is asked, and answers when it is told to.

import PluginContexts
import Synchronization

/// Counts what it is asked for each key; the first answers of a key may be errors.
final class CountingDaemon: PluginDaemon {
    struct Unreachable: Error {}

    private struct State {
        var asked: [String: Int] = [:]
        var failures: Int
    }

    private let state: Mutex<State>
    private let beforeAnswer: @Sendable () async -> Void

    init(failures: Int = 0, beforeAnswer: @escaping @Sendable () async -> Void = {}) {
        self.state = Mutex(State(failures: failures))
        self.beforeAnswer = beforeAnswer
    }

    func asked(_ key: String) -> Int { self.state.withLock { $0.asked[key] ?? 0 } }

    func modelProviders(of tenant: String) async throws -> [PluginModelProviderEntity] {
        try await self.answer(tenant)
        return [PluginModelProviderEntity(id: "of \(tenant)", models: ["m"])]
    }

    func toolProvider(_ key: ProviderKey) async throws -> PluginToolProviderController {
        try await self.answer("\(key.tenant)/\(key.provider)")
        return PluginToolProviderController(id: "\(key.tenant)/\(key.provider)", tools: ["t"])
    }

    private func answer(_ key: String) async throws {
        let fails = self.state.withLock { state in
            state.asked[key, default: 0] += 1
            defer { state.failures = max(0, state.failures - 1) }
            return state.failures > 0
        }
        await self.beforeAnswer()
        if fails { throw Unreachable() }
    }
}

/// Opens when `count` callers have arrived.
final class Barrier: Sendable {
    private struct State {
        var missing: Int
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        self.state = Mutex(State(missing: count))
    }

    func arrive() {
        let waiters = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.missing -= 1
            guard state.missing == 0 else { return [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = self.state.withLock { state in
                if state.missing > 0 { state.waiters.append(continuation) }
                return state.missing <= 0
            }
            if isOpen { continuation.resume() }
        }
    }
}
