// Runs a program with the model and with the real contexts, and makes a program that shows a difference small.

/// The first step in which the model and the real contexts differ.
struct Difference: Sendable, CustomStringConvertible {
    let step: Step
    let expected: Answer
    let actual: Answer

    var description: String {
        "\(self.step)\n  expected: \(self.expected)\n  actual:   \(self.actual)"
    }
}

extension Program {
    /// Runs the program both ways. Returns the first difference; none is what must come out.
    func difference(patience: Duration = .seconds(120)) throws -> Difference? {
        var model = ContextModel(self.setup)
        let live = try LiveContexts(self.setup)
        defer { live.close() }
        for step in self.complete where model.decides(step) {
            var steps = [step]
            if case .end = step.operation {
                let leave = Step(number: step.number, worker: step.worker, operation: .leave(error: false))
                steps = Array(repeating: leave, count: model.depth(of: step.worker)) + steps
            }
            for step in steps {
                let expected = model.perform(step)
                let actual = live.perform(step, expecting: expected, patience: patience)
                if expected != actual { return Difference(step: step, expected: expected, actual: actual) }
            }
        }
        return nil
    }

    /// Drops steps as long as a difference is left: halves first, then quarters, at last single steps (delta debugging).
    func shrunk() throws -> (program: Program, difference: Difference)? {
        guard var difference = try self.difference() else { return nil }
        var program = self
        if let last = program.steps.firstIndex(where: { $0.number == difference.step.number }) {
            program.steps.removeSubrange((last + 1)...)
        }
        var size = max(1, program.steps.count / 2)
        while true {
            var start = 0
            var isSmaller = false
            while start < program.steps.count {
                var candidate = program
                candidate.steps.removeSubrange(start..<min(start + size, program.steps.count))
                if let found = try candidate.difference(patience: .milliseconds(100)) {
                    program = candidate
                    difference = found
                    isSmaller = true
                } else {
                    start += size
                }
            }
            if size == 1, !isSmaller { break }
            size = max(1, size / 2)
        }
        for app in program.setup.apps.indices {
            for name in program.setup.apps[app].throwing {
                var candidate = program
                candidate.setup.apps[app].throwing.remove(name)
                guard let found = try candidate.difference(patience: .milliseconds(100)) else { continue }
                program = candidate
                difference = found
            }
        }
        return (program, difference)
    }
}
