// Sessions that live in the client's cookie, signed.

public import Contrail
internal import Crypto
public import HTTPTypes

#if canImport(FoundationEssentials)
private import FoundationEssentials
#else
private import Foundation
#endif

/// A session store without a store: the client keeps the session in a cookie that the service has signed (HMAC-SHA256).
///
/// Who has the cookie can read the session, but not change it: keep no secrets in it. The service remembers nothing, so
/// that all processes with the same keys serve all clients, and a session cannot be revoked before it expires.
///
/// - No cookie, an empty one, and one that was signed longer ago than the lifetime: a new, empty session.
/// - A cookie that no key has signed, be it tampered with, cut off or made by others: a null session, never an error.
///   ``unverified`` can make that a new session.
/// - Several cookies of the name: the first that is signed and has not expired.
/// - A session that does not fit into a cookie: saving throws ``CookieSessionError/Code/tooLarge``, and nothing is lost
///   silently.
///
/// To rotate keys, put the new one first: the first key signs, all of them verify. Take the old one out when the lifetime
/// has passed; if sooner, with ``unverified`` as ``Unverified/newSession``.
public struct CookieSessions: SessionInterface {
    /// What a cookie that no key has signed amounts to.
    public enum Unverified: Sendable, Hashable {
        /// A session that reads as empty and takes no changes, until the client loses the cookie.
        case nullSession
        /// A new session, as without a cookie; saving it replaces the cookie.
        case newSession
    }

    /// How many bytes a `Set-Cookie` field may have, attributes included, so that every browser keeps it.
    public static let maximumCookieLength = 4093
    /// By how many seconds a cookie may have been signed in the future, by a process whose clock is ahead.
    static let tolerance = 300

    /// The client's cookie.
    public let cookie: SessionCookie
    /// For how many seconds a cookie is valid after it was signed.
    public let lifetime: Int
    /// Whether a permanent session is signed anew after each request, so that it expires from then on.
    public let refreshesEachRequest: Bool
    /// What a cookie that no key has signed amounts to.
    public let unverified: Unverified

    private let keys: Keys

    private struct Payload: Codable {
        let values: [String: SessionValue]
        let isPermanent: Bool

        enum CodingKeys: String, CodingKey {
            case values = "v"
            case isPermanent = "p"
        }
    }

    /// Makes a store; throws ``CookieSessionError/Code/noKey`` when it gets no key.
    ///
    /// - Parameters:
    ///   - keys: The first one signs, all of them verify.
    ///   - cookie: The client's cookie.
    ///   - lifetime: For how many seconds a cookie is valid after it was signed; 31 days by default, at least one second.
    ///   - refreshesEachRequest: Whether a permanent session is signed anew after each request.
    ///   - unverified: What a cookie that no key has signed amounts to.
    public init(
        keys: [SessionKey],
        cookie: SessionCookie = SessionCookie(),
        lifetime: Int = 31 * 24 * 60 * 60,
        refreshesEachRequest: Bool = true,
        unverified: Unverified = .nullSession,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(CookieSessionError) {
        let derived = keys.map { $0.signingKey(forCookie: cookie.name) }
        guard let first = derived.first else {
            throw CookieSessionError(
                .noKey,
                "sessions in cookies need a key to sign with: give at least one SessionKey",
                fileID: fileID,
                line: line
            )
        }
        self.keys = Keys(signing: first, verifying: derived)
        self.cookie = cookie
        self.lifetime = max(1, lifetime)
        self.refreshesEachRequest = refreshesEachRequest
        self.unverified = unverified
    }

    /// The session of the request's cookie; a new or a null one when there is none, or none that counts. Never throws.
    public func openSession(_ app: App, _ context: App.RequestContext) -> App.Session? {
        let texts = self.cookie.values(in: context.request.headerFields).filter { !$0.isEmpty }
        let now = Self.seconds(context.now)
        var isExpired = false
        // A client may send several of the name, such as one that an old path left behind.
        for text in texts {
            guard let cookie = SignedCookie(text, keys: self.keys.verifying) else { continue }
            guard self.isFresh(cookie, at: now) else {
                isExpired = true
                continue
            }
            guard let payload = try? JSONDecoder().decode(Payload.self, from: cookie.payload) else { return nil }
            return App.Session(payload.values, isPermanent: payload.isPermanent)
        }
        let isNew = texts.isEmpty || isExpired || self.unverified == .newSession
        return isNew ? App.Session(isNew: true) : nil
    }

    private func isFresh(_ cookie: SignedCookie, at now: Int) -> Bool {
        let (age, overflows) = now.subtractingReportingOverflow(cookie.signedAt)
        return !overflows && age < self.lifetime && age >= -Self.tolerance
    }

    /// Signs the session and writes its cookie, as `SessionSaving` says; throws ``CookieSessionError/Code/tooLarge`` when
    /// browsers would not keep it, and writes nothing then.
    public func saveSession(
        _ session: App.Session,
        _ context: App.RequestContext,
        into fields: inout HTTPFields
    ) throws {
        let saving = session.saving(refreshesEachRequest: self.refreshesEachRequest)
        switch saving.action {
        case .nothing: break
        case .delete: self.cookie.delete(in: &fields)
        case .write:
            let maxAge = session.isPermanent ? self.lifetime : nil
            let text = try self.text(session, context)
            let length = self.cookie.line(text, maxAge: maxAge).utf8.count
            guard length <= Self.maximumCookieLength else {
                throw CookieSessionError(
                    .tooLarge,
                    "the session needs a cookie of \(length) bytes, and browsers keep \(Self.maximumCookieLength): keep "
                        + "less in it, such as an id of what is stored elsewhere, or use a store on the server"
                )
            }
            try self.cookie.set(text, maxAge: maxAge, in: &fields)
        }
        if saving.variesByCookie { SessionCookie.addVary(to: &fields) }
    }

    private func text(_ session: App.Session, _ context: App.RequestContext) throws(CookieSessionError) -> String {
        let payload = Payload(values: session.values, isPermanent: session.isPermanent)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(payload) else {
            throw CookieSessionError(
                .notEncodable,
                "the session's values cannot be written as JSON: nest them less deeply"
            )
        }
        return SignedCookie(payload: data, signedAt: Self.seconds(context.now)).text(self.keys.signing)
    }

    /// The seconds since 1970, whatever the clock says.
    private static func seconds(_ date: Date) -> Int {
        Int(exactly: date.timeIntervalSince1970.rounded(.down)) ?? 0
    }
}

extension CookieSessions {
    /// The derived keys, which show nothing of themselves when they are printed.
    private struct Keys: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
        let signing: SymmetricKey
        let verifying: [SymmetricKey]

        var description: String { "\(self.verifying.count) keys" }
        var debugDescription: String { self.description }
        var customMirror: Mirror { Mirror(self, children: []) }
    }
}
