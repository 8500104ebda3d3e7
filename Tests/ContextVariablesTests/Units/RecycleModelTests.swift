// The recyclable variable against the original's counters, over threads and snapshots.

import ContextVariables
import TestSupport
import Testing

@Suite("Recycle model")
struct RecycleModelTests {
    /// One line of execution of the original: a recycle counter, and for each variable an update counter and a value.
    private struct Model {
        var recycles: Int?
        var updates: [Int: Int] = [:]
        var values: [Int: Int] = [:]

        mutating func increment() { self.recycles = self.recycles.map { $0 + 1 } ?? 0 }

        mutating func set(_ variable: Int, _ value: Int) {
            let updates = max(self.updates[variable] ?? 0, self.recycles ?? 0)
            self.updates[variable] = updates == self.recycles ?? 0 ? updates + 1 : updates
            self.values[variable] = value
        }

        func get(_ variable: Int) -> Int? {
            self.recycles ?? 0 < self.updates[variable] ?? 0 ? self.values[variable] : nil
        }
    }

    private indirect enum Step: CustomStringConvertible {
        case increment
        case set(Int, Int)
        case get(Int)
        case snapshot
        case run(Int, [Step])
        case emptyThread([Step])
        case copyThread([Step])

        var description: String {
            switch self {
            case .increment: "increment"
            case .set(let variable, let value): "set \(variable) \(value)"
            case .get(let variable): "get \(variable)"
            case .snapshot: "snapshot"
            case .run(let number, let steps): "run \(number) \(steps)"
            case .emptyThread(let steps): "empty thread \(steps)"
            case .copyThread(let steps): "copy thread \(steps)"
            }
        }

        static func random(_ count: Int, depth: Int, _ random: inout SeededRandom) -> [Step] {
            (0..<count).map { _ in
                let number = Int.random(in: 0..<3, using: &random)
                let inner = depth == 0 ? 0 : Int.random(in: 1...6, using: &random)
                switch Int.random(in: 0..<(depth == 0 ? 10 : 13), using: &random) {
                case 0, 1, 2: return .increment
                case 3, 4, 5: return .set(number, Int.random(in: 0..<100, using: &random))
                case 6, 7, 8: return .get(number)
                case 9: return .snapshot
                case 10: return .run(number, Step.random(inner, depth: depth - 1, &random))
                case 11: return .emptyThread(Step.random(inner, depth: depth - 1, &random))
                default: return .copyThread(Step.random(inner, depth: depth - 1, &random))
                }
            }
        }
    }

    /// Runs steps in both, and keeps what every read gave.
    private final class Runner: Sendable {
        let variables = (0..<3).map { number in
            RecyclableVariable<Int>("v\(number)", policy: RecyclablePolicy(bootValues: .surviveFirstRecycle))
        }
        let snapshots = Recorded<VariableSnapshot>()
        let trace = Recorded<String>()

        static func text(_ value: Int?) -> String { value.map { "\($0)" } ?? "lookup" }

        func run(_ steps: [Step]) throws {
            for step in steps { try self.run(step) }
        }

        private func run(_ step: Step) throws {
            switch step {
            case .increment: Worker.current?.recycle()
            case .set(let variable, let value): try self.variables[variable].set(value)
            case .get(let variable): self.trace.add(Self.text(try? self.variables[variable].get()))
            case .snapshot: self.snapshots.add(VariableSnapshot())
            case .run(let number, let steps):
                guard let snapshot = self.snapshots.element(number) else { return }
                do {
                    try snapshot.run { try self.run(steps) }
                } catch let error as VariableError where error.code == .snapshotEntered {
                    self.trace.add("entered")
                }
            case .emptyThread(let steps): try joinedThread { try self.run(steps) }
            case .copyThread(let steps):
                let snapshot = VariableSnapshot()
                try joinedThread { try snapshot.run { try self.run(steps) } }
            }
        }
    }

    private struct ModelRunner {
        var snapshots: [Model] = []
        var entered: Set<Int> = []
        var trace: [String] = []

        mutating func run(_ steps: [Step], _ model: inout Model) {
            for step in steps {
                switch step {
                case .increment: model.increment()
                case .set(let variable, let value): model.set(variable, value)
                case .get(let variable): self.trace.append(Runner.text(model.get(variable)))
                case .snapshot: self.snapshots.append(model)
                case .run(let number, let steps):
                    guard number < self.snapshots.count else { continue }
                    guard self.entered.insert(number).inserted else {
                        self.trace.append("entered")
                        continue
                    }
                    var inner = self.snapshots[number]
                    self.run(steps, &inner)
                    self.snapshots[number] = inner
                    self.entered.remove(number)
                case .emptyThread(let steps):
                    var inner = Model()
                    self.run(steps, &inner)
                case .copyThread(let steps):
                    var inner = model
                    self.run(steps, &inner)
                }
            }
        }
    }

    @Test("With boot values kept, a recycle is the original's increment, over threads and snapshots.")
    func random() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("recycle model, seed \(seed)")
        var random = SeededRandom(seed: seed)
        for number in 0..<400 {
            let steps = Step.random(14, depth: 3, &random)
            var expected = ModelRunner()
            var model = Model()
            expected.run(steps, &model)
            let runner = Runner()
            try await onThread { try runner.run(steps) }
            #expect(runner.trace.elements == expected.trace, "seed \(seed), program \(number): \(steps)")
            if runner.trace.elements != expected.trace { return }
        }
    }

    @Test("Values from before a worker's first recycle survive it, and no second one.")
    func firstRecycle() throws {
        let kept = RecyclableVariable<Int>("kept", policy: RecyclablePolicy(bootValues: .surviveFirstRecycle))
        let dropped = RecyclableVariable<Int>("dropped")
        let worker = Worker(kind: "job", number: 1)
        try inUnit(worker.currentUnit()) { () throws in
            try kept.set(1)
            try dropped.set(1)
        }
        #expect(worker.recycle().variablesDropped == 1)
        try inUnit(worker.currentUnit()) { () throws in
            #expect(try kept.get() == 1)
            #expect(code { _ = try dropped.get() } == .neverSet)
        }
        #expect(worker.recycle().variablesDropped == 1)
        try inUnit(worker.currentUnit()) { #expect(code { _ = try kept.get() } == .neverSet) }
    }

    @Test("A value that was set in a worker's second unit does not survive the next recycle, whatever its policy.")
    func onlyTheFirst() throws {
        let kept = RecyclableVariable<Int>("kept", policy: RecyclablePolicy(bootValues: .surviveFirstRecycle))
        let worker = Worker(kind: "job", number: 1)
        worker.recycle()
        try inUnit(worker.currentUnit()) { try kept.set(1) }
        #expect(worker.recycle().variablesDropped == 1)
        try inUnit(worker.currentUnit()) { #expect(code { _ = try kept.get() } == .neverSet) }
    }

    @Test("A request takes over what its worker's boot kept, and the second request does not.")
    func requests() throws {
        let kept = RecyclableVariable<Int>("kept", policy: RecyclablePolicy(bootValues: .surviveFirstRecycle))
        let worker = Worker(kind: "conn", number: 1)
        try inUnit(worker.currentUnit()) { try kept.set(1) }
        let seen = (0..<2).map { _ in worker.run { kept.get(default: 0) } }
        #expect(seen == [1, 0])
    }
}
