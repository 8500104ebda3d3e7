// What a process writes, as it comes.

package import Foundation
private import Synchronization

/// Collects what a process writes to one of its streams.
package final class OutputLog: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isAtEnd = false
    }

    private let state = Mutex(State())

    /// Reads on a thread of its own until the stream ends.
    package init(reading stream: FileHandle) {
        Thread.detachNewThread {
            while true {
                let data = stream.availableData
                self.state.withLock {
                    $0.bytes += data
                    $0.isAtEnd = data.isEmpty
                }
                if data.isEmpty { return }
            }
        }
    }

    /// Whether the stream has ended.
    package var isAtEnd: Bool { self.state.withLock { $0.isAtEnd } }

    /// Everything so far.
    package var text: String { self.state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

    /// The complete lines so far.
    package var lines: [String] {
        self.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}
