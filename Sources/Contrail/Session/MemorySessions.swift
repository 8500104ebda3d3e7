// Sessions in this process's memory.

public import HTTPTypes
private import Synchronization

#if canImport(FoundationEssentials)
private import FoundationEssentials
#else
private import Foundation
#endif

/// A session store in memory: for tests, and for services of one process whose users may be signed out by a restart.
///
/// The client gets a random id of 256 bits in a cookie, drawn from the app's randomness; an id that the store does not know
/// gives a new session under a new id. A session ends when it was not used for the lifetime (on the app's clock), when it is
/// emptied, or, least recently used first, when there are more than the store may hold. Of two requests that save a
/// session at once the last one counts; one that saves a session which has ended meanwhile does not revive it, and its
/// client's cookie is deleted. May serve several apps, and be used from any thread.
public final class MemorySessions: SessionInterface {
    private struct Entry {
        var values: [String: SessionValue]
        var isPermanent: Bool
        var usedAt: Date
        /// Grows with each use of any session; tells which one was used last, whatever the clock does.
        var use: UInt64
    }

    private struct Table {
        var entries: [String: Entry] = [:]
        var uses: UInt64 = 0
    }

    /// The client's cookie.
    public let cookie: SessionCookie
    /// How long a session is kept without being used, in seconds.
    public let lifetime: Int
    /// How many sessions are kept.
    public let maximumCount: Int
    /// Whether the cookie of a permanent session is sent after each request, so that the browser keeps it from then on.
    public let refreshesEachRequest: Bool

    private let table = Mutex(Table())

    /// Makes an empty store.
    ///
    /// - Parameters:
    ///   - cookie: The client's cookie.
    ///   - lifetime: How long a session is kept without being used, in seconds; 31 days by default, at least one second.
    ///   - maximumCount: How many sessions are kept, at least one.
    ///   - refreshesEachRequest: Whether the cookie of a permanent session is sent after each request.
    public init(
        cookie: SessionCookie = SessionCookie(),
        lifetime: Int = 31 * 24 * 60 * 60,
        maximumCount: Int = 10_000,
        refreshesEachRequest: Bool = true
    ) {
        self.cookie = cookie
        self.lifetime = max(1, lifetime)
        self.maximumCount = max(1, maximumCount)
        self.refreshesEachRequest = refreshesEachRequest
    }

    /// How many sessions are stored, including those that expired unnoticed.
    public var count: Int { self.table.withLock { $0.entries.count } }

    /// Forgets all sessions.
    public func removeAll() {
        let old = self.table.withLock { table in
            let old = table.entries
            table.entries = [:]
            return old
        }
        withExtendedLifetime(old) {}
    }

    /// The session that the request's cookie names, or a new one.
    public func openSession(_ app: App, _ context: App.RequestContext) -> App.Session? {
        for id in self.cookie.values(in: context.request.headerFields) {
            if let entry = self.use(id, now: context.now) {
                return App.Session(entry.values, isPermanent: entry.isPermanent, id: id)
            }
        }
        return App.Session(isNew: true)
    }

    /// Stores the session and writes its cookie, as ``SessionSaving`` says.
    public func saveSession(
        _ session: App.Session,
        _ context: App.RequestContext,
        into fields: inout HTTPFields
    ) throws {
        let saving = session.saving(refreshesEachRequest: self.refreshesEachRequest)
        if saving.variesByCookie { SessionCookie.addVary(to: &fields) }
        switch saving.action {
        case .nothing: break
        case .delete:
            if let id = session.id { self.remove(id) }
            self.cookie.delete(in: &fields)
        case .write:
            if let id = self.store(session, context) {
                try self.cookie.set(id, maxAge: session.isPermanent ? self.lifetime : nil, in: &fields)
            } else {
                self.cookie.delete(in: &fields)
            }
        }
    }

    /// Stores a session and gives its id; `nil` when it has ended since it was opened.
    private func store(_ session: App.Session, _ context: App.RequestContext) -> String? {
        let now = context.now
        let values = session.values
        let isPermanent = session.isPermanent
        if let id = session.id {
            let old = self.table.withLock { table -> Entry? in
                guard let old = table.entries[id] else { return nil }
                table.entries[id] = Self.entry(values, isPermanent, now, &table)
                return old
            }
            return old == nil ? nil : id
        }
        let id = Self.makeID(context)
        let evicted = self.table.withLock { table in
            let evicted = self.makeRoom(in: &table, now)
            table.entries[id] = Self.entry(values, isPermanent, now, &table)
            return evicted
        }
        withExtendedLifetime(evicted) {}
        session.id = id
        return id
    }

    private static func entry(
        _ values: [String: SessionValue],
        _ isPermanent: Bool,
        _ now: Date,
        _ table: inout Table
    ) -> Entry {
        table.uses &+= 1
        return Entry(values: values, isPermanent: isPermanent, usedAt: now, use: table.uses)
    }

    /// The entry of a session that has not expired, which counts as used now.
    private func use(_ id: String, now: Date) -> Entry? {
        let (live, expired) = self.table.withLock { table -> (Entry?, Entry?) in
            guard var entry = table.entries[id] else { return (nil, nil) }
            if self.isExpired(entry, now) { return (nil, table.entries.removeValue(forKey: id)) }
            table.uses &+= 1
            entry.usedAt = now
            entry.use = table.uses
            table.entries[id] = entry
            return (entry, nil)
        }
        withExtendedLifetime(expired) {}
        return live
    }

    private func remove(_ id: String) {
        let old = self.table.withLock { $0.entries.removeValue(forKey: id) }
        withExtendedLifetime(old) {}
    }

    /// Removes, when the store is full, what has expired, and if that is nothing the eighth that was used longest ago: rarely
    /// enough to cost little per session.
    private func makeRoom(in table: inout Table, _ now: Date) -> [Entry] {
        guard table.entries.count >= self.maximumCount else { return [] }
        var evicted = table.entries.filter { self.isExpired($0.value, now) }
        if evicted.isEmpty {
            let oldest = table.entries.sorted { $0.value.use < $1.value.use }.prefix(max(1, self.maximumCount / 8))
            evicted = Dictionary(uniqueKeysWithValues: oldest.map { ($0.key, $0.value) })
        }
        for id in evicted.keys { table.entries.removeValue(forKey: id) }
        return Array(evicted.values)
    }

    private func isExpired(_ entry: Entry, _ now: Date) -> Bool {
        now.timeIntervalSince(entry.usedAt) >= Double(self.lifetime)
    }

    private static func makeID(_ context: App.RequestContext) -> String {
        var random = context.random
        return (0..<4).map { _ in
            let digits = String(random.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        .joined()
    }
}
