// Where sessions come from and go to.

public import HTTPTypes

/// A store of sessions. An app asks it at the first push of each request context and after each request.
///
/// The calls may come from any thread. To find a session by its cookie use ``SessionCookie``; to follow the rules of saving
/// ask ``App/Session/saving(refreshesEachRequest:)``.
public protocol SessionInterface: Sendable {
    /// Opens the session of a request, which is current already but not matched to a route (`SES-01`, `SES-04`).
    ///
    /// A session that cannot be opened for a reason that is not an error is `nil`: the request gets a null session then. What
    /// is thrown leaves the push.
    func openSession(_ app: App, _ context: App.RequestContext) throws -> App.Session?

    /// Makes the session of a request for which ``openSession(_:_:)`` gave none; ``App/Session/null()`` by default.
    func makeNullSession(_ app: App) -> App.Session

    /// Saves the session of a request into the store and the response's fields, after all functions that run after the
    /// request. Never called for a null session.
    func saveSession(_ session: App.Session, _ context: App.RequestContext, into fields: inout HTTPFields) throws
}

extension SessionInterface {
    /// A session that reads as empty and refuses changes.
    public func makeNullSession(_ app: App) -> App.Session { .null() }
}
