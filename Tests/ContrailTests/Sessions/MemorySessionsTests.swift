// The store in memory: cookies, expiry, bounds.

import Contrail
import Foundation
import HTTPTypes
import Synchronization
import Testing

/// A clock that tests move by hand.
final class HandClock: ContextClock {
    private let date = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

    func now() -> Date { self.date.withLock { $0 } }

    func advance(_ seconds: Double) { self.date.withLock { $0 += seconds } }
}

@Suite("Sessions in memory")
struct MemorySessionsTests {
    private let clock = HandClock()
    private let app: App

    init() {
        self.app = App("orders", clock: self.clock)
    }

    private func context(_ cookie: String? = nil) -> App.RequestContext {
        var request = get()
        if let cookie { request.headerFields[.cookie] = cookie }
        return App.RequestContext(self.app, request)
    }

    private func open(_ sessions: MemorySessions, _ cookie: String? = nil) throws -> App.Session {
        try #require(sessions.openSession(self.app, self.context(cookie)))
    }

    /// Saves and gives the response's fields.
    private func save(_ sessions: MemorySessions, _ session: App.Session) throws -> HTTPFields {
        var fields = HTTPFields()
        try sessions.saveSession(session, self.context(), into: &fields)
        return fields
    }

    /// Stores a session of one value and gives its cookie.
    private func stored(_ sessions: MemorySessions, _ value: SessionValue = 1) throws -> String {
        let session = try self.open(sessions)
        try session.set("n", value)
        return try #require(self.save(sessions, session)[.setCookie]).prefix { $0 != ";" }.description
    }

    @Test("A session without a cookie is new, and comes back by the cookie it gets.")
    func roundTrip() throws {
        let sessions = MemorySessions()
        let session = try self.open(sessions)
        #expect(session.isNew && !session.isNull)
        try session.set("user", "u7")
        let fields = try self.save(sessions, session)
        #expect(fields[.vary] == "Cookie")
        let line = try #require(fields[.setCookie])
        #expect(line.hasSuffix("; Path=/; HttpOnly; SameSite=Lax"))
        let again = try self.open(sessions, String(line.prefix { $0 != ";" }))
        #expect(again["user"] == "u7")
        #expect(!again.isNew && !again.isModified)
        #expect(sessions.count == 1)
    }

    @Test("Ids are long and not repeated.")
    func ids() throws {
        let sessions = MemorySessions()
        let cookies = try (0..<100).map { _ in try self.stored(sessions) }
        #expect(Set(cookies).count == 100)
        #expect(cookies.allSatisfy { $0.count == "session=".count + 64 })
    }

    @Test("An id that is not known gives a new session under a new id.")
    func unknownID() throws {
        let sessions = MemorySessions()
        for cookie in ["session=", "session=guess", "session=" + String(repeating: "0", count: 64), "other=1"] {
            let session = try self.open(sessions, cookie)
            #expect(session.isNew && session.isEmpty && !session.isNull)
            try session.set("n", 1)
            let line = try #require(self.save(sessions, session)[.setCookie])
            #expect(!line.hasPrefix(cookie + ";"))
        }
    }

    @Test("Of several cookies of the name, the first that is known counts.")
    func severalCookies() throws {
        let sessions = MemorySessions()
        let cookie = try self.stored(sessions, 7)
        #expect(try self.open(sessions, "session=bad; \(cookie)")["n"] == 7)
    }

    @Test("SES-06: what was not touched leaves no field, what was read varies by the cookie.")
    func savingNothing() throws {
        let sessions = MemorySessions()
        #expect(try self.save(sessions, self.open(sessions)).isEmpty)
        let session = try self.open(sessions, self.stored(sessions))
        #expect(try self.save(sessions, session).isEmpty)
        _ = session["n"]
        #expect(try self.save(sessions, session) == [.vary: "Cookie"])
    }

    @Test("SES-06: an emptied session is forgotten, and its cookie deleted.")
    func emptied() throws {
        let sessions = MemorySessions()
        let cookie = try self.stored(sessions)
        let session = try self.open(sessions, cookie)
        try session.clear()
        let fields = try self.save(sessions, session)
        #expect(fields[.setCookie]?.hasPrefix("session=; Max-Age=0;") == true)
        #expect(sessions.count == 0)
        #expect(try self.open(sessions, cookie).isNew)
    }

    @Test("SES-06: a permanent session keeps its cookie for the lifetime, and is refreshed by each request.")
    func permanent() throws {
        let sessions = MemorySessions(lifetime: 60)
        let session = try self.open(sessions)
        try session.set("n", 1)
        session.isPermanent = true
        let line = try #require(self.save(sessions, session)[.setCookie])
        #expect(line.contains("; Max-Age=60;"))
        let again = try self.open(sessions, String(line.prefix { $0 != ";" }))
        #expect(again.isPermanent)
        #expect(try self.save(sessions, again)[.setCookie] == line)
        let quiet = MemorySessions(refreshesEachRequest: false)
        let other = try self.open(quiet)
        try other.set("n", 1)
        other.isPermanent = true
        let cookie = try #require(self.save(quiet, other)[.setCookie]).prefix { $0 != ";" }
        #expect(try self.save(quiet, self.open(quiet, String(cookie))).isEmpty)
    }

    @Test("A session that is saved twice stays one.")
    func savedTwice() throws {
        let sessions = MemorySessions()
        let session = try self.open(sessions)
        try session.set("n", 1)
        let first = try self.save(sessions, session)[.setCookie]
        try session.set("n", 2)
        #expect(try self.save(sessions, session)[.setCookie] == first)
        #expect(sessions.count == 1)
    }

    @Test("What happens to an open session reaches the store only when it is saved.")
    func copies() throws {
        let sessions = MemorySessions()
        let cookie = try self.stored(sessions, 1)
        let session = try self.open(sessions, cookie)
        try session.set("n", 2)
        #expect(try self.open(sessions, cookie)["n"] == 1)
        _ = try self.save(sessions, session)
        #expect(try self.open(sessions, cookie)["n"] == 2)
    }

    @Test("A session expires when it was not used for its lifetime, on the app's clock.")
    func expiry() throws {
        let sessions = MemorySessions(lifetime: 60)
        let cookie = try self.stored(sessions)
        self.clock.advance(59)
        #expect(try !self.open(sessions, cookie).isNew)
        self.clock.advance(59)
        #expect(try !self.open(sessions, cookie).isNew)
        self.clock.advance(60)
        #expect(try self.open(sessions, cookie).isNew)
        #expect(sessions.count == 0)
    }

    @Test("A clock that goes back expires nothing.")
    func clockGoesBack() throws {
        let sessions = MemorySessions(lifetime: 60)
        let cookie = try self.stored(sessions)
        self.clock.advance(-1_000_000)
        #expect(try !self.open(sessions, cookie).isNew)
    }

    @Test("A session that ended while a request was using it is not revived.")
    func notRevived() throws {
        let sessions = MemorySessions()
        let cookie = try self.stored(sessions)
        let slow = try self.open(sessions, cookie)
        let quick = try self.open(sessions, cookie)
        try quick.clear()
        _ = try self.save(sessions, quick)
        try slow.set("n", 2)
        let fields = try self.save(sessions, slow)
        #expect(fields[.setCookie]?.hasPrefix("session=; Max-Age=0;") == true)
        #expect(sessions.count == 0)
    }

    @Test("A full store lets go of what was used longest ago.")
    func bounded() throws {
        let sessions = MemorySessions(maximumCount: 8)
        let cookies = try (0..<8).map { try self.stored(sessions, .int($0)) }
        _ = try self.open(sessions, cookies[0])
        let newest = try self.stored(sessions)
        #expect(sessions.count == 8)
        #expect(try self.open(sessions, cookies[1]).isNew)
        for cookie in cookies[2...] + [cookies[0], newest] { #expect(try !self.open(sessions, cookie).isNew) }
    }

    @Test("A full store lets go of what has expired first.")
    func boundedByExpiry() throws {
        let sessions = MemorySessions(lifetime: 60, maximumCount: 4)
        for _ in 0..<3 { _ = try self.stored(sessions) }
        self.clock.advance(59)
        let fresh = try self.stored(sessions)
        self.clock.advance(1)
        _ = try self.stored(sessions)
        #expect(sessions.count == 2)
        #expect(try !self.open(sessions, fresh).isNew)
    }

    @Test("It never holds more than it may, whoever writes at once.")
    func concurrent() async {
        let sessions = MemorySessions(maximumCount: 50)
        let app = self.app
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<50 {
                        let context = App.RequestContext(app, get())
                        guard let session = sessions.openSession(app, context) else { continue }
                        try? session.set("n", 1)
                        var fields = HTTPFields()
                        try? sessions.saveSession(session, context, into: &fields)
                    }
                }
            }
        }
        #expect((1...50).contains(sessions.count))
        sessions.removeAll()
        #expect(sessions.count == 0)
    }
}
