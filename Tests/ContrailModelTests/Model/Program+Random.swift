// Random programs: every program of the model test, from its seed alone.

import TestSupport

extension Program {
    /// Makes the program of a seed. The model goes along, so that pops and leaves often have something to undo.
    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var setup = Setup()
        for app in 0..<2 {
            setup.apps[app].recyclesOnRequest = Int.random(in: 0..<4, using: &random) > 0
            setup.apps[app].throwing = Set(Setup.throwers.filter { _ in Int.random(in: 0..<8, using: &random) == 0 })
        }
        self.init(setup: setup, steps: [])
        var model = ContextModel(setup)
        for number in 0..<Int.random(in: 4...60, using: &random) {
            let worker = Int.random(in: 0..<Self.workers, using: &random)
            let operation = self.operation(worker, model, &random)
            let step = Step(number: 100 + number, worker: worker, operation: operation)
            guard model.decides(step) else { continue }
            self.steps.append(step)
            _ = model.perform(step)
        }
    }

    private func operation(_ worker: Int, _ model: ContextModel, _ random: inout SeededRandom) -> Operation {
        func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
        let small = Int.random(in: 0..<2, using: &random)
        let value = Int.random(in: 0..<10, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<18: return .push(self.context(&random), fails: chance(16))
        case 18..<32:
            let pushed = model.pushes(of: worker)
            if let top = pushed.last, !chance(3) { return .pop(top, error: chance(4)) }
            return .pop(pushed.randomElement(using: &random) ?? self.context(&random), error: chance(4))
        case 32: return .popApp(of: model.pushes(of: worker).last { $0.kind == .request } ?? .request(small))
        case 33..<39: return .enterApp(app: small, fails: chance(16))
        case 39..<45: return .enterRequest(app: small, fails: chance(16))
        case 45..<48: return .enterValue(variable: small, value: value)
        case 48..<60: return .leave(error: chance(4))
        case 60..<65: return .takeSnapshot
        case 65..<71: return .borrow(self.number(&random) { if case .takeSnapshot = $0 { true } else { false } })
        case 71..<76: return .set(variable: small, value: value)
        case 76..<80:
            return .reset(variable: small, token: self.number(&random) { if case .set = $0 { true } else { false } })
        case 80..<90:
            let owner = chance(4) ? self.context(&random) : nil
            return .namespace(of: owner?.kind == .app ? owner : nil, key: value % 3, self.namespace(value, &random))
        case 90..<95: return .store(recyclable: small, value: value)
        case 95: return .invalidate(recyclable: small)
        case 96..<99: return .recycle
        default: return .end
        }
    }

    /// One of the contexts that are there from the start or, sometimes, one that a step made.
    private func context(_ random: inout SeededRandom) -> ContextID {
        let kind: ContextID.Kind = Bool.random(using: &random) ? .app : .request
        if Int.random(in: 0..<6, using: &random) == 0, let step = self.steps.randomElement(using: &random) {
            return ContextID(kind: kind, number: step.number)
        }
        return ContextID(kind: kind, number: Int.random(in: 0..<ContextID.ready, using: &random))
    }

    /// The number of a step of some kind; of none, when there is none yet.
    private func number(_ random: inout SeededRandom, where matches: (Operation) -> Bool) -> Int {
        self.steps.filter { matches($0.operation) }.randomElement(using: &random)?.number ?? 0
    }

    private func namespace(_ value: Int, _ random: inout SeededRandom) -> NamespaceOperation {
        let argument = Int.random(in: 0..<4, using: &random) == 0 ? nil : value
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<4: return .set(argument)
        case 4: return .get
        case 5: return .getDefault(argument)
        case 6: return .pop
        case 7: return .popDefault(argument)
        case 8: return .setDefault(argument)
        case 9: return .contains
        case 10: return .remove
        default: return .names
        }
    }
}
