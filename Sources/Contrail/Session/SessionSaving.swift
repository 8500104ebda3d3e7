// What saving a session amounts to.

/// The rules for saving a session, which all stores share (`SES-06`).
public struct SessionSaving: Sendable, Hashable {
    /// What happens to the stored session and its cookie.
    public enum Action: Sendable, Hashable {
        /// Nothing: it is as it was, or empty and never was otherwise.
        case nothing
        /// It was emptied: the store forgets it and the client's cookie goes.
        case delete
        /// It is written, and the client gets its cookie.
        case write
    }

    /// What happens to the stored session and its cookie.
    public let action: Action
    /// Whether the response depends on the cookie, and says so in `Vary`.
    public let variesByCookie: Bool

    /// Says what saving amounts to.
    public init(action: Action, variesByCookie: Bool) {
        self.action = action
        self.variesByCookie = variesByCookie
    }
}
