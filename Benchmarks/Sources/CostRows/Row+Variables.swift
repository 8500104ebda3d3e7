// Rows of variables.

import ContextVariables
import Contrail

extension Row {
    private static let number = RecyclableVariable<Int>("bench number")
    private static let table = RecyclableVariable<[String: Int]>("bench table")
    private static let plain = ContextVariable<Int>("bench plain")

    static var variables: [Row] {
        Self.both("recyclable get") { Self.reading { keep(Self.number.get(default: 0)) } }
            + Self.inTask("recyclable get of a dictionary") { Self.reading { keep(Self.table.get(default: [:])) } }
            + Self.inTask("recyclable get through a handle") { Self.readingThroughHandle() }
            + Self.both("context variable get") { Self.reading { keep(Self.plain.get(default: 0)) } }
            + Self.inTask("recyclable set") { Self.reading { try? Self.number.set(2) } }
    }

    /// Looks the unit up once, and not at each read.
    private static func readingThroughHandle() -> Double {
        withAppContext(Audit.without.app()) { context in
            do { try Self.number.set(1) } catch { preconditionFailure("cannot set: \(error)") }
            let variables = context.variables
            return Meter.each(100_000) { keep(variables[Self.number]) }
        }
    }

    private static func reading(_ read: () -> Void) -> Double {
        withAppContext(Audit.without.app()) { _ in
            do {
                try Self.number.set(1)
                try Self.table.set(["a": 1])
                try Self.plain.set(1)
            } catch {
                preconditionFailure("cannot set: \(error)")
            }
            return Meter.each(100_000, read)
        }
    }
}
