// Where a value was set, and in whose context: for values that may be found where they do not belong.

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// The context that was current when a value was set. The room above implements it.
package protocol ScopeOwner: Sendable {
    /// Whether the lifetime in which the value was set is still running.
    var isRunning: Bool { get }
}

/// The place at which a value was set.
package struct SetPlace: Sendable {
    package let fileID: StaticString
    package let line: UInt
    /// The context that was current; nil when none was.
    package let owner: (any ScopeOwner)?
    /// In nanoseconds of the monotonic clock.
    package let time: UInt64

    /// The place of a call, by whoever makes it.
    init(fileID: StaticString, line: UInt) {
        self.fileID = fileID
        self.line = line
        self.owner = Scope.currentLayers?.ownerHere
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        self.time = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}

/// A variable that was set on a bare thread in a context that has ended since, and that nobody reset.
package struct StrayValue: Sendable {
    /// The variable's name.
    package let variable: String
    package let place: SetPlace
}

/// A value that survived the first recycle of its worker and is read in a unit that never set it (`REC-08`).
package struct BootValueRead: Sendable {
    /// The variable's name.
    package let variable: String
    /// The unit in which it was set.
    package let epoch: Epoch
    package let place: SetPlace
    package let readFileID: StaticString
    package let readLine: UInt
}
