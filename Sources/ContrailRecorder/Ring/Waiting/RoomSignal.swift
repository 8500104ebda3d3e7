// Where those wait who would rather wait a little for room in the ring than lose an event.

internal import Synchronization

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// Lets threads wait until a drain frees slots. Nobody waits for a drain that is not there or that cannot store anything, and the
/// drain's own thread never waits.
///
/// @unchecked Sendable: the mutex and the condition are the system's, at addresses that do not change; the rest is atomic.
package final class RoomSignal: @unchecked Sendable {
    /// How long one event waits at the most, in nanoseconds.
    let patience: UInt64

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let waiting = Atomic<Int>(0)
    /// The thread of the drain; 0 when there is none.
    private let drain = Atomic<UInt>(0)
    private let failing = Atomic<Bool>(false)

    package init(patience: Duration) {
        self.patience = UInt64(min(max(patience / .nanoseconds(1), 0), 1e10))
        self.mutex = .allocate(capacity: 1)
        pthread_mutex_init(self.mutex, nil)
        self.condition = .allocate(capacity: 1)
        #if canImport(Glibc)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(self.condition, &attributes)
        pthread_condattr_destroy(&attributes)
        #else
        pthread_cond_init(self.condition, nil)
        #endif
    }

    deinit {
        pthread_cond_destroy(self.condition)
        self.condition.deallocate()
        pthread_mutex_destroy(self.mutex)
        self.mutex.deallocate()
    }

    /// Whether this thread may wait at all.
    var isWorthWaiting: Bool {
        let drain = self.drain.load(ordering: .acquiring)
        return drain != 0 && drain != Self.thisThread && !self.failing.load(ordering: .acquiring)
    }

    /// Waits until the ring is not full, the deadline, or until waiting is not worth it.
    func wait(until deadline: UInt64, whileFull isFull: () -> Bool) {
        self.waiting.wrappingAdd(1, ordering: .sequentiallyConsistent)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        pthread_mutex_lock(self.mutex)
        while isFull(), self.isWorthWaiting {
            let now = MonotonicClock.nanoseconds
            guard now < deadline else { break }
            self.sleep(from: now, until: deadline)
        }
        pthread_mutex_unlock(self.mutex)
        self.waiting.wrappingSubtract(1, ordering: .relaxed)
    }

    private func sleep(from now: UInt64, until deadline: UInt64) {
        #if canImport(Glibc)
        var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        pthread_cond_timedwait(self.condition, self.mutex, &time)
        #else
        let rest = deadline - now
        var time = timespec(tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
        pthread_cond_timedwait_relative_np(self.condition, self.mutex, &time)
        #endif
    }

    /// Says that slots are free, or that nobody should wait any more.
    func announce() {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard self.waiting.load(ordering: .sequentiallyConsistent) > 0 else { return }
        pthread_mutex_lock(self.mutex)
        pthread_cond_broadcast(self.condition)
        pthread_mutex_unlock(self.mutex)
    }

    /// How many threads wait at this moment.
    package var waiters: Int { self.waiting.load(ordering: .relaxed) }

    /// This thread is the drain's from now on.
    func drainBegins() { self.drain.store(Self.thisThread, ordering: .releasing) }

    /// There is no drain any more.
    func drainEnds() {
        self.drain.store(0, ordering: .releasing)
        self.announce()
    }

    /// Whether the drain cannot store anything at the moment.
    var isFailing: Bool {
        get { self.failing.load(ordering: .acquiring) }
        set {
            self.failing.store(newValue, ordering: .releasing)
            if newValue { self.announce() }
        }
    }

    private static var thisThread: UInt {
        #if canImport(Glibc)
        UInt(pthread_self())
        #else
        UInt(bitPattern: pthread_self())
        #endif
    }
}
