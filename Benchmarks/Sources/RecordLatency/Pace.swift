// The pace of threads that work in portions.

import Foundation

/// A portion of work at each millisecond.
enum Pace {
    /// Runs the closure so many times, each a millisecond after the one before has begun; at once where that one took longer.
    static func eachMillisecond(_ count: Int, _ portion: () -> Void) {
        let start = DispatchTime.now().uptimeNanoseconds
        for round in 1...count {
            portion()
            let due = start + UInt64(round) * 1_000_000
            let now = DispatchTime.now().uptimeNanoseconds
            if now < due { usleep(UInt32((due - now) / 1000)) }
        }
    }
}
