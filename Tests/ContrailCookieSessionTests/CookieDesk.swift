// What the tests of this room share: a store with its app, a clock that is moved by hand, and seeded numbers.

import Contrail
import ContrailCookieSession
import Foundation
import HTTPTypes
import Synchronization
import Testing

/// A store, with the app and the clock that it is asked under.
struct CookieDesk: Sendable {
    static let key = "a key of the service, of 38 bytes, ok."
    /// The cookie of `["user": "u7"]`, signed with that key at 1,800,000,000.
    static let vector =
        "1.eyJwIjpmYWxzZSwidiI6eyJ1c2VyIjoidTcifX0.1800000000."
        + "2QQSADn6oaPpHjt45a0kdiJjuBMo7SxaY0u6Urm1MSg"

    let clock: HandClock
    let app: App
    let sessions: CookieSessions

    init() {
        do {
            try self.init(keys: [Self.key])
        } catch {
            preconditionFailure("\(error)")
        }
    }

    init(
        keys: [String] = [Self.key],
        cookie: SessionCookie = SessionCookie(),
        lifetime: Int = 31 * 24 * 60 * 60,
        refreshesEachRequest: Bool = true,
        unverified: CookieSessions.Unverified = .nullSession
    ) throws {
        let clock = HandClock()
        self.clock = clock
        self.app = App("orders", clock: clock)
        self.sessions = try CookieSessions(
            keys: keys.map { try SessionKey($0) },
            cookie: cookie,
            lifetime: lifetime,
            refreshesEachRequest: refreshesEachRequest,
            unverified: unverified
        )
    }

    func context(_ cookie: String? = nil) -> App.RequestContext {
        var request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")
        if let cookie { request.headerFields[.cookie] = cookie }
        return App.RequestContext(self.app, request)
    }

    /// The session that a request with the cookie gets, as an app would choose it.
    func open(_ cookie: String?) -> App.Session {
        self.sessions.openSession(self.app, self.context(cookie)) ?? self.sessions.makeNullSession(self.app)
    }

    /// The response's fields after saving.
    func save(_ session: App.Session) throws -> HTTPFields {
        var fields = HTTPFields()
        try self.sessions.saveSession(session, self.context(), into: &fields)
        return fields
    }

    /// The cookie of a session of these values, as a client sends it back.
    func cookie(_ values: [String: SessionValue]) throws -> String {
        let session = self.open(nil)
        try session.update(values)
        return try String(#require(self.save(session)[.setCookie]).prefix { $0 != ";" })
    }
}

/// A clock that tests move by hand.
final class HandClock: ContextClock {
    private let date = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

    func now() -> Date { self.date.withLock { $0 } }

    func set(_ seconds: Double) { self.date.withLock { $0 = Date(timeIntervalSince1970: seconds) } }
}
