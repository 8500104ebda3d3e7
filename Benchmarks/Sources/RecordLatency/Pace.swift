// The pace of threads that work in portions.

import Foundation

/// A portion of work at each interval.
enum Pace {
    /// Runs the closure so many times, each an interval after the one before has begun; at once where that one took longer.
    static func each(milliseconds: Int, _ count: Int, _ portion: () throws -> Void) rethrows {
        let start = DispatchTime.now().uptimeNanoseconds
        for round in 1...count {
            try portion()
            let due = start + UInt64(round * milliseconds) * 1_000_000
            let now = DispatchTime.now().uptimeNanoseconds
            if now < due { usleep(UInt32((due - now) / 1000)) }
        }
    }
}
