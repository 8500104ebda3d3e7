// Variables that the body of a stream sets.

import ContextVariables
import Contrail
import Testing

@Suite("Variables of a stream")
struct StreamVariableTests {
    private static let chunk = ContextVariable<Int>("catalogue chunk", default: 0)

    @Test("CV-13: what a stream's body sets is there for its next element, and not for its consumer.")
    func staysInside() throws {
        let chunk = Self.chunk
        var stream = try withRequestContext(Desk().app, get()) { _ throws in
            try streamWithContext(
                [1, 2].lazy.map { number -> Int? in
                    let before = try? chunk.get()
                    _ = try? chunk.set(number)
                    return before
                }
            )
        }
        #expect(stream.next() == 0)
        #expect(try chunk.get() == 0)
        #expect(stream.next() == 1)
        #expect(try chunk.get() == 0)
        stream.close()
    }
}
