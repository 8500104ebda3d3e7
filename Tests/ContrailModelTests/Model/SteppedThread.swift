// A bare thread that does one thing at a time, when it is told to.

import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A bare thread that takes a step, answers, and waits for the next.
final class SteppedThread: Sendable {
    private let work: @Sendable (SteppedThread) -> Void
    private let step = Mutex<Step?>(nil)
    private let answer = Mutex<Answer?>(nil)
    private let stepIsThere = DispatchSemaphore(value: 0)
    private let answerIsThere = DispatchSemaphore(value: 0)
    private let thread = Mutex<pthread_t?>(nil)

    /// Starts a thread that does `work`, which takes steps until one of them ends it.
    init(_ work: @escaping @Sendable (SteppedThread) -> Void) {
        self.work = work
        var thread = pthread_t()
        let started = pthread_create(
            &thread,
            nil,
            { pointer in
                #if canImport(Glibc)
                guard let pointer else { return nil }
                #endif
                let thread = Unmanaged<SteppedThread>.fromOpaque(pointer).takeRetainedValue()
                thread.work(thread)
                return nil
            },
            Unmanaged.passRetained(self).toOpaque()
        )
        precondition(started == 0, "the system gives no more threads")
        self.thread.withLock { $0 = thread }
    }

    /// Has the thread do a step, and waits for its answer. From outside.
    func perform(_ step: Step) -> Answer {
        self.send(step)
        self.answerIsThere.wait()
        return self.answer.withLock { $0.take() } ?? Answer()
    }

    /// Has the thread do its last step, and waits until it is gone with all that it kept. From outside.
    func end(_ step: Step) {
        self.send(step)
        if let thread = self.thread.withLock({ $0.take() }) { pthread_join(thread, nil) }
    }

    /// Lets others run.
    static func yield() { sched_yield() }

    private func send(_ step: Step) {
        self.step.withLock { $0 = step }
        self.stepIsThere.signal()
    }

    /// Waits for the next step. On the thread itself.
    func next() -> Step? {
        self.stepIsThere.wait()
        return self.step.withLock { $0.take() }
    }

    /// Answers the step. On the thread itself.
    func reply(_ answer: Answer) {
        self.answer.withLock { $0 = answer }
        self.answerIsThere.signal()
    }
}
