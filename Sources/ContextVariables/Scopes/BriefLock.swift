// A lock for what takes some nanoseconds: cheaper than a `Mutex`, and without its queue.

private import CTaskRuntime
public import Synchronization

/// A value with a lock that is held for the length of a look-up in it, and never while anybody else's code runs. Used as a `Mutex` is.
///
/// A `Mutex` gives up its word with an exchange, because somebody may sleep in the kernel until it does; that costs as much as
/// taking it. Here giving up is a plain store, and who finds the lock taken asks again (``BriefWord``). It is not recursive.
///
/// @unchecked Sendable: the value is touched by who holds the lock alone, as with a `Mutex`; and it is sent into the lock.
@usableFromInline
package struct BriefLock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    @usableFromInline let word: BriefWord
    // What a `Mutex` keeps its value in.
    @usableFromInline let cell: _Cell<Value>

    /// Guards a value.
    @inlinable
    @inline(__always)
    package init(_ value: consuming sending Value) {
        self.word = BriefWord()
        self.cell = _Cell(value)
    }

    /// Runs the closure with the lock taken.
    @inlinable
    @inline(__always)
    package borrowing func withLock<Result: ~Copyable>(_ body: (inout Value) -> Result) -> Result {
        self.word.lock()
        defer { self.word.unlock() }
        // In two steps: in one, the sanitizer takes the lock itself for what is changed.
        let value = self.cell._address
        return body(&value.pointee)
    }
}

/// The word of such a lock: who finds it taken asks again, for some microseconds at once, then after giving its turn to others, then
/// every 50 µs. So a holder that lost its processor is not waited for by burning another, and nobody waits for ever whatever the
/// priorities are. Who sleeps says so, and those who come later let it pass for a millisecond: a holder that takes the lock again at
/// once would otherwise leave nothing to be found.
@usableFromInline
struct BriefWord: ~Copyable, Sendable {
    @usableFromInline let word: Atomic<UInt32>
    /// How many sleep until they ask again.
    @usableFromInline let starved: Atomic<UInt32>

    @inlinable
    @inline(__always)
    init() {
        self.word = Atomic(0)
        self.starved = Atomic(0)
    }

    /// Takes the lock.
    @inlinable
    @inline(__always)
    borrowing func lock() {
        if self.hasStarving || !self.tryLock() { self.wait() }
    }

    /// Gives it up. Who took it calls this once.
    @inlinable
    @inline(__always)
    borrowing func unlock() {
        self.word.store(0, ordering: .releasing)
    }

    @inlinable
    @inline(__always)
    borrowing func tryLock() -> Bool {
        self.word.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged
    }

    @usableFromInline
    @inline(never)
    borrowing func wait() {
        var turn: UInt32 = 0
        var isStarved = false
        repeat {
            // Asked by reading first: an exchange would take the word's line from the holder each time.
            while self.word.load(ordering: .relaxed) != 0 || (!isStarved && self.hasStarving) {
                if !isStarved, turn >= (self.hasStarving ? Self.giving : Self.sleeping) {
                    isStarved = true
                    self.starved.wrappingAdd(1, ordering: .relaxed)
                }
                contrail_brief_wait(turn)
                turn &+= 1
            }
        } while !self.tryLock()
        if isStarved { self.starved.wrappingSubtract(1, ordering: .relaxed) }
    }

    @inlinable
    @inline(__always)
    var hasStarving: Bool { self.starved.load(ordering: .relaxed) != 0 }

    /// The turn from which waiting is sleeping.
    private static var sleeping: UInt32 { 128 }
    /// The turn up to which those who starve already are let pass.
    private static var giving: UInt32 { 144 }
}
