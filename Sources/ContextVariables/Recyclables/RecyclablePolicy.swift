// What a recyclable variable does at the two edges of a unit: its worker's first recycle, and a hand-off.

/// How the values of a recyclable variable behave at a worker's first recycle and in hand-offs.
public struct RecyclablePolicy: Sendable, Hashable {
    /// What the first recycle of a worker does with a value that was set before it, while the service booted.
    public enum BootValues: Sendable, Hashable {
        /// It is released, as by every recycle: the first request of a worker starts with nothing.
        case dropped
        /// It stays valid until the second recycle, as in the original, whose counter starts at 0 (`REC-08`). Ask for it only
        /// where boot code fills a cache for the worker's first unit on purpose: it is a leak everywhere else.
        case surviveFirstRecycle
    }

    /// What a snapshot or another hand-off does with a value.
    public enum HandOff: Sendable, Hashable {
        /// The hand-off carries it, shared and not copied (`REC-14`).
        case inherited
        /// The hand-off starts without it: for values that only the unit itself may use, such as a transaction.
        case withheld
    }

    /// What the first recycle of a worker does.
    public var bootValues: BootValues
    /// What a hand-off does.
    public var handOff: HandOff

    /// Makes a policy; the default is the safe one at the first recycle, and inherits.
    public init(bootValues: BootValues = .dropped, handOff: HandOff = .inherited) {
        self.bootValues = bootValues
        self.handOff = handOff
    }
}
