// What a task that was started earlier sees of its parent's variables.

import ContextVariables
import Testing

@Suite("Inherited variables")
struct InheritedVariableTests {
    private static let number = ContextVariable<Int>("catalogue number")

    @Test("CV-12: a task reads its parent's scope, also what is set there after it was started.")
    func laterSet() async throws {
        let changed = Gate()
        try await Self.number.withValue(1) { () async throws in
            let child = Task {
                await changed.wait()
                return try Self.number.get()
            }
            try Self.number.set(2)
            changed.open()
            #expect(try await child.value == 2)
        }
    }
}
