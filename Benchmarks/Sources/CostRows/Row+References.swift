// Rows of what the language itself charges, measured in the same process.

extension Row {
    private final class Object: Sendable {
        let number: Int
        init(_ number: Int) { self.number = number }
    }

    @TaskLocal private static var bound: Object?

    static var references: [Row] {
        Self.both("task-local bind and one allocation") {
            Meter.each(100_000) { Self.$bound.withValue(Object(1)) { keep(1) } }
        }
            + Self.both("task-local read") {
                Self.$bound.withValue(Object(1)) { Meter.each(100_000) { keep(Self.bound) } }
            }
    }
}
