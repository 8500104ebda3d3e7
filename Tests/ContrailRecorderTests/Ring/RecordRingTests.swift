// The slots of a ring: order, refusal, records of many slots, and records that are never finished.

import ContrailRecorder
import Testing

/// A ring, and records whose words say which they are.
private final class Desk: Sendable {
    let ring: RecordRing

    init(_ ring: RecordRing) {
        self.ring = ring
    }

    convenience init(slots: Int) {
        self.init(RecordRing(RingMemory.ofProcess(RingLayout(slots: slots))))
    }

    /// Writes a record with so many bytes behind its first slot, each the lowest byte of the number. False when it was refused.
    @discardableResult
    func write(_ number: UInt64, rest: Int = 0, thread: Int64 = 1) -> Bool {
        let claim = self.ring.claim(RecordRing.slotCount(rest))
        guard let position = claim.position else { return false }
        self.finish(position, claim.seq, number, rest: rest, thread: thread)
        return true
    }

    func finish(_ position: UInt64, _ seq: UInt64, _ number: UInt64, rest: Int = 0, thread: Int64 = 1) {
        let head = RecordHead(thread: thread)
        let words = RecordWords(first: number, second: ~number)
        if rest == 0 {
            self.ring.write(position, seq, 20, head, words)
        } else {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: rest)
            bytes.withUnsafeBytes { self.ring.write(position, seq, 20, head, words, $0) }
        }
    }

    /// Reads one record, checks what it holds, frees it and gives its number; nil when nothing is there.
    func read(at now: UInt64 = 0) -> RawRecord? {
        guard case .record(let record) = self.ring.read(at: now) else { return nil }
        #expect(record.words.second == ~record.words.first)
        let isWhole = self.ring.rest(of: record) { rest in
            rest.allSatisfy { $0 == UInt8(truncatingIfNeeded: record.words.first) }
        }
        #expect(isWhole)
        self.ring.free(before: self.ring.readPosition)
        return record
    }
}

extension Desk {
    /// Looks for a record that is not there, as often as a drain does. Returns how many slots were passed; nil when none.
    func look(from begin: UInt64, for duration: UInt64) -> Int? {
        let end = begin + duration
        var now = begin
        while true {
            switch self.ring.read(at: now) {
            case .torn(let slots): return slots
            case .record: Issue.record("a record that was not written")
            case .nothing: break
            }
            if now == end { return nil }
            now = min(end, now + UnfinishedWait.step / 2)
        }
    }
}

@Suite("The slots of a ring")
struct RecordRingTests {
    @Test("The number of slots is rounded up to a power of two.", arguments: [(0, 2), (2, 2), (3, 4), (1000, 1024)])
    func capacity(asked: Int, given: Int) {
        #expect(RingLayout(slots: asked).slots == given)
    }

    @Test("Records of every length come out whole and in order, over many rounds.")
    func order() {
        let desk = Desk(slots: 16)
        var read: UInt64 = 0
        for number in 1...2000 as ClosedRange<UInt64> {
            // Up to seven slots: the ring's end falls into every part of a record.
            #expect(desk.write(number, rest: Int(number * 37 % 400)))
            if number % 2 == 0 {
                while let record = desk.read() {
                    read += 1
                    #expect(record.words.first == read)
                    #expect(record.seq == read)
                }
            }
        }
        #expect(read == 2000)
    }

    @Test("A full ring refuses with a number, and takes again when slots are free, not when they were read.")
    func full() {
        let desk = Desk(slots: 4)
        for number in 1...4 as ClosedRange<UInt64> { #expect(desk.write(number)) }
        #expect(!desk.write(5))
        guard case .record(let first) = desk.ring.read(at: 0) else {
            Issue.record("no record")
            return
        }
        #expect(first.seq == 1)
        #expect(!desk.write(6))
        desk.ring.free(before: desk.ring.readPosition)
        #expect(desk.write(7))
        #expect(!desk.write(8, rest: 1))
        #expect([desk.read()?.seq, desk.read()?.seq, desk.read()?.seq, desk.read()?.seq] == [2, 3, 4, 7])
        #expect(desk.read() == nil)
        #expect(desk.write(9, rest: 190))
        #expect(desk.read()?.seq == 9)
        #expect(desk.ring.lastClaimed == 9)
    }

    @Test("A record that takes more slots than there are is refused for ever, and nothing else is.")
    func tooLarge() {
        let desk = Desk(slots: 4)
        for _ in 0..<10 { #expect(!desk.write(1, rest: 300)) }
        #expect(desk.write(2, rest: 100))
        #expect(desk.read()?.seq == 11)
    }

    @Test("A record that is not finished is waited for, then passed, with exactly its slots.", arguments: [0, 1, 200])
    func torn(rest: Int) throws {
        let desk = Desk(slots: 16)
        desk.write(1)
        let claim = desk.ring.claim(RecordRing.slotCount(rest))
        desk.write(3, rest: 70)
        #expect(desk.read()?.seq == 1)
        #expect(!desk.ring.isWaiting)
        #expect(desk.look(from: 1000, for: UnfinishedWait.patience - 1) == nil)
        #expect(desk.ring.isWaiting)
        let slots = try #require(desk.look(from: 1000 + UnfinishedWait.patience, for: 0))
        #expect(!desk.ring.isWaiting)
        #expect(slots == Int(RecordRing.slotCount(rest)))
        #expect(desk.read()?.seq == 3)
        #expect(claim.seq == 2)
    }

    @Test("A record that is not finished is waited for less when more than half of the ring is taken.")
    func tight() throws {
        let desk = Desk(slots: 16)
        _ = desk.ring.claim(1)
        for number in 2...8 { desk.write(UInt64(number)) }
        #expect(desk.look(from: 1000, for: UnfinishedWait.tightPatience * 2) == nil)
        desk.write(9)
        #expect(desk.look(from: 1000 + UnfinishedWait.tightPatience * 2, for: 0) == 1)
        #expect(desk.read()?.seq == 2)
    }

    @Test("Time in which the reader stood still is not the writer's.")
    func stopped() throws {
        let desk = Desk(slots: 16)
        let claim = desk.ring.claim(1)
        let hour: UInt64 = 3_600_000_000_000
        for number in 1..<UInt64(UnfinishedWait.patience / UnfinishedWait.step) {
            #expect(desk.look(from: number * hour, for: 0) == nil)
        }
        desk.finish(try #require(claim.position), claim.seq, 1)
        #expect(desk.read(at: 1000 * hour)?.seq == 1)
    }

    @Test("A record that is finished in time is read in its turn.")
    func inTime() throws {
        let desk = Desk(slots: 16)
        let claim = desk.ring.claim(1)
        desk.write(2)
        #expect(desk.read(at: 1000) == nil)
        desk.finish(try #require(claim.position), claim.seq, 1)
        #expect(desk.read(at: 2000)?.seq == 1)
        #expect(desk.read(at: 3000)?.seq == 2)
    }

    @Test("A record that is finished too late is not read, whether its slots were taken again or not.")
    func tooLate() throws {
        let desk = Desk(slots: 4)
        let late = desk.ring.claim(1)
        let position = try #require(late.position)
        guard case .torn(1) = desk.ring.read(at: .max) else {
            Issue.record("not passed")
            return
        }
        desk.ring.free(before: desk.ring.readPosition)
        desk.finish(position, late.seq, 1)
        #expect(desk.read() == nil)
        for number in 2...9 as ClosedRange<UInt64> {
            #expect(desk.write(number))
            #expect(desk.read()?.words.first == number)
        }
        // Its slot was taken again, and nobody has written there yet: what it finishes is of an older round.
        let later = desk.ring.claim(1)
        guard case .torn(1) = desk.ring.read(at: .max) else {
            Issue.record("not passed")
            return
        }
        desk.ring.free(before: desk.ring.readPosition)
        for number in 11...13 as ClosedRange<UInt64> {
            #expect(desk.write(number))
            #expect(desk.read()?.words.first == number)
        }
        let current = desk.ring.claim(1)
        desk.finish(try #require(later.position), later.seq, 10)
        #expect(desk.read() == nil)
        desk.finish(try #require(current.position), current.seq, 14)
        #expect(desk.read()?.words.first == 14)
    }

    @Test("With several writers nothing is lost or doubled, each writer's order is kept, and numbers are in order.")
    func writers() async {
        let writers = 6
        let each: UInt64 = 5000
        let desk = Desk(slots: 64)
        let taken = await withTaskGroup(of: [RawRecord].self) { group in
            for writer in 1...writers {
                group.addTask {
                    for number in 1...each {
                        while !desk.write(number, rest: Int(number % 150), thread: Int64(writer)) { await Task.yield() }
                    }
                    return []
                }
            }
            group.addTask {
                var taken: [RawRecord] = []
                while taken.count < writers * Int(each) {
                    if let record = desk.read() { taken.append(record) } else { await Task.yield() }
                }
                return taken
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        for writer in 1...writers {
            #expect(taken.filter { $0.thread == Int64(writer) }.map(\.words.first) == Array(1...each))
        }
        #expect(zip(taken, taken.dropFirst()).allSatisfy { $0.seq < $1.seq })
        #expect(desk.read() == nil)
    }

    @Test("Positions go on beyond 24 bits, where the word that claims them begins anew.")
    func manyPositions() throws {
        let memory = RingMemory.ofProcess(RingLayout(slots: 1 << 14))
        let early = RecordRing(memory)
        var claims: UInt64 = 0
        while claims < 1 << 10 - 1 {
            let position = try #require(early.claim(1 << 14).position)
            claims += 1
            early.free(before: position + 1 << 14)
        }
        // It goes on where the other one stopped: 16,384 positions before the border.
        let desk = Desk(RecordRing(memory))
        for number in 1...10_000 as ClosedRange<UInt64> {
            guard desk.write(number, rest: 100), let record = desk.read(), record.seq == claims + number else {
                Issue.record("lost at \(number)")
                return
            }
        }
        #expect(desk.ring.readPosition > 1 << 24)
    }

    @Test("How full the ring is can be asked while others write and free.")
    func fill() async {
        let desk = Desk(slots: 64)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for number in 1...200_000 as ClosedRange<UInt64> { desk.write(number) } }
            group.addTask { for _ in 0..<200_000 { _ = desk.read() } }
            group.addTask { for _ in 0..<200_000 { #expect((0...64).contains(desk.ring.slotsInUse)) } }
        }
    }
}
