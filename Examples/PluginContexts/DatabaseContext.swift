// A context of one's own over a context variable, with a proxy for what it makes current.

public import ContextVariables
internal import Synchronization

/// A connection as the example needs it.
public final class DatabaseConnection: Sendable {
    /// Where it is connected to.
    public let url: String
    private let open = Mutex(true)

    /// Opens a connection.
    public init(to url: String) {
        self.url = url
    }

    /// Whether it is open.
    public var isOpen: Bool { self.open.withLock { $0 } }

    func close() { self.open.withLock { $0 = false } }
}

private let databaseVariable = ContextVariable<DatabaseConnection>("database")

/// The connection of the innermost ``DatabaseContext`` around the caller.
public let currentDatabase = ContextProxy(databaseVariable, message: "no database is open: use DatabaseContext.use(_:)")

/// Makes a database current for a body, and closes its connection when the outermost body has ended.
///
/// It may be entered again inside itself: each entry keeps a token of its own, where the original has room for one and leaves
/// the variable set.
public final class DatabaseContext: Sendable {
    private struct State {
        var connection: DatabaseConnection?
        var tokens: [ContextVariable<DatabaseConnection>.Token] = []
    }

    private let url: String
    private let state = Mutex(State())

    /// Makes a context for a database, not connected yet.
    public init(_ url: String) {
        self.url = url
    }

    /// Connects, unless it is entered already, and makes the connection current. Throws what ``ContextVariable`` throws where
    /// nothing can be set; then nothing was entered.
    @discardableResult
    public func enter() throws -> DatabaseConnection {
        let connection = self.state.withLock { state in
            let connection = state.connection ?? DatabaseConnection(to: self.url)
            state.connection = connection
            return connection
        }
        let token = try databaseVariable.set(connection)
        self.state.withLock { $0.tokens.append(token) }
        return connection
    }

    /// Undoes the last entry, and disconnects when it was the outermost. Does nothing when it is not entered.
    public func exit() throws {
        guard let token = self.state.withLock({ $0.tokens.last }) else { return }
        try databaseVariable.reset(token)
        let closing = self.state.withLock { state -> DatabaseConnection? in
            state.tokens.removeLast()
            guard state.tokens.isEmpty else { return nil }
            defer { state.connection = nil }
            return state.connection
        }
        closing?.close()
    }

    /// Runs the closure with the database current.
    public func use<Result>(_ body: (DatabaseConnection) throws -> Result) throws -> Result {
        let connection = try self.enter()
        do {
            let result = try body(connection)
            try self.exit()
            return result
        } catch {
            try self.exit()
            throw error
        }
    }
}
