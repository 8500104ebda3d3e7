// What a logger was told, for tests that count lines.

import Logging
import Synchronization

/// Keeps the lines that were logged.
final class LineLog: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { self.kept.withLock { $0 } }

    func count(_ part: String) -> Int { self.lines.count { $0.contains(part) } }

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: LineLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = event.metadata.map { " \($0)" } ?? ""
            self.log.kept.withLock { $0.append("\(event.level): \(event.message)\(metadata)") }
        }
    }
}
