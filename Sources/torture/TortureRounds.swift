// One kill after the other.

internal import ContrailStore
internal import Foundation
internal import Synchronization
internal import TestSupport

/// The rounds of a run: each starts a child, waits for a phase, kills, recovers and looks.
struct Rounds {
    private let torture: Torture
    private let trail: String
    private let rings: String
    private let boardPath: String
    private let seed: UInt64
    private var random: SeededRandom
    private var board: SharedBoard?

    private(set) var kills = 0
    private(set) var broken: [String] = []
    private var perPhase: [StorePhase: Int] = [:]
    private var missed = 0
    private var acknowledged = 0
    private var missing = 0
    private var torn = 0
    private var unwritten: UInt64 = 0
    private var recovered = 0
    private var recoveryTimes: [Duration] = []

    init(_ torture: Torture, _ place: String, seed: UInt64) {
        self.torture = torture
        self.trail = "\(place)/trail.sqlite"
        self.rings = "\(place)/rings"
        self.boardPath = "\(place)/board"
        self.seed = seed
        self.random = SeededRandom(seed: seed)
    }

    /// One round. The phase is the one that was hit least so far, in turns with chance.
    mutating func next() throws {
        let target = self.nextTarget()
        let board = try self.board ?? SharedBoard(path: self.boardPath)
        self.board = board
        try self.killOne(in: target == .recovery ? .append : target, board)
        let first = (uuid: board.runUUID, values: self.values(on: board))
        if target == .recovery {
            // The trail is left as it is: the next child recovers it, and is killed while it does.
            try self.killOne(in: .recovery, board)
        }
        let begin = ContinuousClock.now
        let recovered = try TrailStore.recover(path: self.trail)
        self.recoveryTimes.append(ContinuousClock.now - begin)
        self.recovered += recovered.reduce(0) { $0 + $1.events }
        var findings = Findings()
        try findings.look(at: self.trail, recovered: recovered, limit: self.torture.cap)
        for (thread, value) in first.values.enumerated() where !first.uuid.isEmpty {
            try findings.look(at: self.trail, run: first.uuid, thread: thread, acknowledged: value)
        }
        self.acknowledged += findings.acknowledged
        self.missing += findings.missing
        self.torn += findings.torn
        self.unwritten += findings.unwritten
        self.broken += findings.broken.map { "after kill \(self.kills) in \(target): \($0)" }
    }

    private mutating func nextTarget() -> StorePhase {
        // Nothing is there to erase from, or to recover.
        if self.kills == 0 { return .append }
        if self.random.next(below: 4) == 0 {
            return StorePhase.allCases[self.random.next(below: StorePhase.allCases.count)]
        }
        return StorePhase.allCases.min { self.perPhase[$0, default: 0] < self.perPhase[$1, default: 0] } ?? .append
    }

    private func values(on board: SharedBoard) -> [Int] {
        (0..<self.torture.threads).map { board.acknowledged(by: $0).pointee.load(ordering: .sequentiallyConsistent) }
    }

    /// Starts a child and kills it when it shows the phase.
    private mutating func killOne(in target: StorePhase, _ board: SharedBoard) throws {
        board.clear()
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments =
            [
                "child", "--trail", self.trail, "--board", self.boardPath, "--rings", self.rings,
                "--ring-slots", String(self.torture.slots), "--recorders", String(self.torture.threads),
                "--most-bytes", String(self.torture.cap),
            ] + (target == .erase ? ["--erases"] : [])
        try child.run()
        // Some way into the phase, and some way into the work.
        let work = 1 + self.random.next(below: 2000)
        let spins = self.random.next(below: 20_000)
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline, child.isRunning {
            let phase = board.phase.pointee.load(ordering: .sequentiallyConsistent)
            let isEarly = target == .recovery || target == .erase
            let hasWorked = isEarly || board.acknowledged(by: 0).pointee.load(ordering: .relaxed) >= work
            if phase == target.rawValue, hasWorked { break }
            sched_yield()
        }
        for _ in 0..<spins { _ = board.phase.pointee.load(ordering: .sequentiallyConsistent) }
        guard child.isRunning else {
            throw Broken("the child ended by itself with status \(child.terminationStatus)")
        }
        kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
        // Nobody writes it any more: that is where it died.
        let phase = StorePhase(rawValue: board.phase.pointee.load(ordering: .sequentiallyConsistent)) ?? .append
        self.perPhase[phase, default: 0] += 1
        if phase != target { self.missed += 1 }
        self.kills += 1
    }

    /// One line of JSON.
    var line: String {
        let phases = StorePhase.allCases.map { "\"\($0)\":\(self.perPhase[$0, default: 0])" }.joined(separator: ",")
        let times = self.recoveryTimes.map { $0 / .milliseconds(1) }.sorted()
        let median = times.isEmpty ? 0 : times[times.count / 2]
        return
            "{\"seed\":\(self.seed),\"kills\":\(self.kills),\"per_phase\":{\(phases)},\"other_phase_hit\":\(self.missed),"
            + "\"acknowledged\":\(self.acknowledged),\"missing\":\(self.missing),\"torn\":\(self.torn),"
            + "\"unwritten\":\(self.unwritten),"
            + "\"recovered_events\":\(self.recovered),\"recovery_ms_median\":\(Self.rounded(median)),"
            + "\"recovery_ms_longest\":\(Self.rounded(times.last ?? 0)),\"broken\":\(self.broken.count)}"
    }

    private static func rounded(_ milliseconds: Double) -> Double { (milliseconds * 10).rounded() / 10 }
}

extension SeededRandom {
    fileprivate mutating func next(below limit: Int) -> Int { Int(self.next() % UInt64(max(limit, 1))) }
}
