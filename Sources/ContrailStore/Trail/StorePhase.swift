// What the store is doing at the moment, for a watcher in another process.

package import Synchronization

/// A part of the store's work that a kill may hit. Outside all of them a process merely appends to its ring.
package enum StorePhase: UInt32, CaseIterable, Sendable {
    case append = 1
    case commit
    case checkpoint
    case recovery
    case retention
    case erase

    /// The address of the word that shows the phase; 0 while nobody watches.
    private static let board = Atomic<UInt>(0)

    /// Shows the phase in a word from now on, for the life of the process.
    ///
    /// - Parameter word: In memory that is never unmapped.
    package static func show(in word: UnsafeMutablePointer<Atomic<UInt32>>) {
        word.pointee.store(Self.append.rawValue, ordering: .sequentiallyConsistent)
        self.board.store(UInt(bitPattern: word), ordering: .releasing)
    }

    /// Runs the closure in this phase. A phase inside another one is the outer one. Without a watcher, one load.
    static func during<Result>(_ phase: StorePhase, _ body: () throws -> Result) rethrows -> Result {
        let address = UnsafeMutableRawPointer(bitPattern: self.board.load(ordering: .acquiring))
        guard let word = address?.assumingMemoryBound(to: Atomic<UInt32>.self) else { return try body() }
        let (isOuter, _) = word.pointee.compareExchange(
            expected: Self.append.rawValue,
            desired: phase.rawValue,
            ordering: .sequentiallyConsistent
        )
        defer { if isOuter { word.pointee.store(Self.append.rawValue, ordering: .sequentiallyConsistent) } }
        return try body()
    }
}
