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
            + Self.both("context variable get") { Self.reading { keep(Self.plain.get(default: 0)) } }
            + Self.inTask("recyclable set") { Self.reading { try? Self.number.set(2) } }
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
