// What can go wrong in a test that is not the app's doing.

extension ContextError.Code {
    /// A request of a test contradicts itself, such as a base URL together with a scheme.
    public static let invalidRequest = ContextError.Code("invalid_request")
    /// A redirect leads away from the app, or nowhere.
    public static let invalidRedirect = ContextError.Code("invalid_redirect")
    /// A test client preserves contexts already.
    public static let clientNested = ContextError.Code("client_nested")
    /// A test client without cookies was asked for a session.
    public static let cookiesDisabled = ContextError.Code("cookies_disabled")
    /// Contexts were left pushed.
    public static let contextsLeaked = ContextError.Code("contexts_leaked")
}
