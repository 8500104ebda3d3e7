// The lines that a program writes.

private import Contrail
private import Synchronization

/// The trace of one program. It is written until it is closed; what happens later belongs to no trace.
final class Trace: Sendable {
    private struct State {
        var lines: [String] = []
        var isOpen = true
        var isFinished = false
    }

    private let showsBindings: Bool
    private let state = Mutex(State())

    init(showsBindings: Bool) {
        self.showsBindings = showsBindings
    }

    var isOpen: Bool { self.state.withLock { $0.isOpen } }

    /// Writes the line of an op.
    func write(_ line: String) {
        self.state.withLock { if $0.isOpen { $0.lines.append(line) } }
    }

    /// Writes an event line, with what is current if the program asks for it.
    func writeEvent(_ line: String) {
        if self.isOpen { self.write(self.showsBindings ? "\(line) [\(Self.bindings)]" : line) }
    }

    /// Writes the last line and closes the trace.
    func finish() {
        self.write("end \(Self.bindings)")
        self.state.withLock { $0.isFinished = $0.isOpen }
        self.close()
    }

    /// Closes the trace.
    func close() {
        self.state.withLock { $0.isOpen = false }
    }

    /// The lines, if the trace was closed with its last one.
    var finishedLines: [String]? { self.state.withLock { $0.isFinished ? $0.lines : nil } }

    private static var bindings: String {
        "app=\(Current.context?.app.name ?? "none") request=\(Current.requestContext?.path ?? "none")"
    }
}
