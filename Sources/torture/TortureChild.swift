// The process that is killed.

internal import ArgumentParser
internal import Contrail
internal import ContrailRecorder
internal import ContrailStore
internal import Foundation
internal import Logging
internal import Synchronization

/// Records without end, and acknowledges each value once the call that records it has returned.
struct Child: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "child", shouldDisplay: false)

    @Option var trail: String
    @Option var board: String
    @Option var rings: String
    // Names of their own: the parent command would take those it knows.
    @Option(name: .customLong("ring-slots")) var slots: Int
    @Option(name: .customLong("recorders")) var threads: Int
    @Option(name: .customLong("most-bytes")) var cap: Int
    @Flag var erases = false

    /// How many values a context gets before it ends.
    private static let valuesPerContext = 50

    func run() throws {
        let board = try SharedBoard(path: self.board)
        StorePhase.show(in: board.phase)
        if self.erases {
            // Before its own run begins: what earlier children left is erased from.
            _ = try Erasure(path: self.trail).run(key: Torture.erasedKey, equals: Torture.erasedValue)
        }
        var configuration = TrailStore.Configuration(
            recorder: .init(capacity: self.slots),
            ringDirectory: self.rings,
            durability: .group(.milliseconds(2)),
            retention: .init(cap: self.cap)
        )
        configuration.logger = Logger(label: "torture") { _ in SwiftLogNoOpLogHandler() }
        let trail = try TrailStore(path: self.trail, app: "torture", configuration: configuration)
        board.runUUID = trail.runUUID
        board.isReady.pointee.store(1, ordering: .sequentiallyConsistent)
        let workers = (0..<self.threads).map { number in
            let thread = Thread { Self.record(number, trail, board) }
            thread.name = "torture-\(number)"
            return thread
        }
        for worker in workers { worker.start() }
        // Until it is killed; or until the one who would do that is gone.
        while getppid() != 1 { usleep(100_000) }
    }

    private static func record(_ thread: Int, _ trail: TrailStore, _ board: SharedBoard) {
        let app = App("torture", recorder: trail.recorder)
        let acknowledged = board.acknowledged(by: thread)
        let key = "\(Torture.key)\(thread)"
        var value = 0
        while true {
            withAppContext(app) { context in
                context.g[Torture.erasedKey] = Torture.erasedValue
                for _ in 0..<Self.valuesPerContext {
                    // A full ring drops, as it should; what is looked at here is what was taken.
                    while trail.recorder.slotsInUse > trail.recorder.capacity / 2 { usleep(100) }
                    value += 1
                    context.g[key] = value
                    acknowledged.pointee.store(value, ordering: .sequentiallyConsistent)
                }
            }
        }
    }
}
