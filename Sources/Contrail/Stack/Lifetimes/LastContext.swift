// The context that was last on a thread: for the message to someone who reads where there is none.

internal import ContextVariables
internal import ContrailRecorder
internal import HTTPTypes

/// What ended last on the thread that asks, in words.
enum LastContext {
    /// The description; nil when nothing has ended there.
    static var onThisThread: String? {
        guard let ended = ThreadState.existing?.lastEnded else { return nil }
        let milliseconds = Double((MonotonicClock.nanoseconds &- ended.at) / 10_000) / 100
        let path = ended.path.map { path in
            " '\(RedactionPolicy().redacted(String(path.prefix { $0 != "?" && $0 != "#" }), limit: 192))'"
        }
        return "the last context on this thread was \(ended.kind)\(path ?? "") of \(ended.name), pushed at "
            + "\(ended.fileID):\(ended.line), ended \(milliseconds) ms ago"
    }

    /// Notes that a lifetime has ended on the thread that calls.
    @inline(__always)
    static func note(_ kind: StaticString, of app: App, path: String?, pushedAt site: Site, endedAt time: UInt64) {
        ThreadState.noteEnded(kind, of: app.name, path: path, fileID: site.fileID, line: site.line, at: time)
    }
}
