// How much is recorded.

extension FlightRecorder {
    /// How much is recorded: of a whole process, of an app, of a route, or of a test. Each contains those before it.
    public struct Level: Hashable, Comparable, Sendable, CustomStringConvertible {
        @usableFromInline package let rawValue: UInt8

        @inlinable
        @inline(__always)
        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Nothing.
        @inlinable public static var off: Level { Level(rawValue: 0) }
        /// Everything but payloads: pushes, pops, hooks, recycles, problems, and the names and small values of `g`.
        @inlinable public static var lifecycle: Level { Level(rawValue: 1) }
        /// Also the values of `g` that are not small: those of value types that are `Encodable`, and of types that are
        /// ``TrailEncodable``. Text is kept up to 16 KiB.
        @inlinable public static var full: Level { Level(rawValue: 2) }
        /// Also what a replay needs: requests and responses with the first 64 KiB of their bodies, and what was drawn through
        /// the contexts.
        @inlinable public static var replay: Level { Level(rawValue: 3) }

        /// The names, from least to most.
        private static let names = ["off", "lifecycle", "full", "replay"]

        /// The level with this name: `off`, `lifecycle`, `full` or `replay`; nil when there is none.
        public init?(_ name: String) {
            guard let index = Self.names.firstIndex(of: name) else { return nil }
            self.init(rawValue: UInt8(index))
        }

        /// The name.
        public var description: String {
            Self.names.indices.contains(Int(self.rawValue)) ? Self.names[Int(self.rawValue)] : "\(self.rawValue)"
        }

        /// Whether less is recorded at the first level than at the second.
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }
}
