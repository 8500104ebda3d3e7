// Claiming slots of a full ring by those who may wait for them.

internal import Synchronization

extension RecordRing {
    /// Claims slots when the drain frees some in time, else a number alone. The number is taken when the waiting is over: an
    /// event that waits is not between others.
    @inline(never)
    func claimPatiently(_ count: UInt64, _ room: RoomSignal) -> Claim {
        if count <= self.capacity {
            let deadline = MonotonicClock.nanoseconds &+ room.patience
            while room.isWorthWaiting, MonotonicClock.nanoseconds < deadline {
                room.wait(until: deadline) { !self.hasRoom(for: count) }
                if let claim = self.claimIfFree(count) { return claim }
            }
        }
        return self.claimIfFree(count) ?? Claim(seq: self.claimNumber(), position: nil)
    }

    private func hasRoom(for count: UInt64) -> Bool {
        let freed = self.freedPosition
        return self.claimedPosition &- freed &+ count <= self.capacity
    }

    /// Claims a number and slots; nil when they are not free, and then nothing is claimed.
    private func claimIfFree(_ count: UInt64) -> Claim? {
        while self.hasRoom(for: count) {
            let word = self.claimed.pointee.load(ordering: .acquiring)
            let (seq, position) = self.split(word)
            guard position &- self.freedPosition &+ count <= self.capacity else { continue }
            let (isClaimed, _) = self.claimed.pointee.weakCompareExchange(
                expected: word,
                desired: word &+ (1 << Self.positionBits) &+ count,
                ordering: .relaxed
            )
            if isClaimed { return Claim(seq: seq + 1, position: position) }
        }
        return nil
    }
}
