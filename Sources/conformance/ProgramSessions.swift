// The sessions of an app, as its definition says.

internal import Contrail
internal import HTTPTypes
private import Synchronization

/// Keeps one session for an app, has none, or fails to open it.
final class ProgramSessions: SessionInterface {
    private let app: String
    private let kind: String
    private let trace: Trace
    private let stored = Mutex<[String: SessionValue]>([:])

    /// `kind` is `memory`, `null`, or `error:` with a name.
    init(of app: String, kind: String, trace: Trace) throws {
        guard ["memory", "null"].contains(kind) || kind.hasPrefix("error:") else {
            throw Malformed("unknown session \(Value(kind).text)")
        }
        (self.app, self.kind, self.trace) = (app, kind, trace)
    }

    func openSession(_ app: App, _ context: App.RequestContext) throws -> App.Session? {
        self.trace.writeEvent("session.open \(self.app) endpoint=\(Value(context.endpoint).text)")
        switch self.kind {
        case "memory": return App.Session(self.stored.withLock { $0 })
        case "null": return nil
        default: throw BodyError(name: String(self.kind.dropFirst("error:".count)))
        }
    }

    func saveSession(_ session: App.Session, _ context: App.RequestContext, into fields: inout HTTPFields) throws {
        self.trace.writeEvent("session.save \(self.app)")
        let values = session.values
        self.stored.withLock { $0 = values }
    }
}
