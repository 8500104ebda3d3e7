// The seven signals of Flask.

public import HTTPTypes

/// The signals that apps send. The sender is always the app; connect to one app or to all.
public enum Signals {
    /// An app context was pushed and is current. A receiver that throws undoes the push.
    public static let appContextPushed = Signal<Void>("appcontext_pushed")
    /// The hooks of an app context have run; it is still current. Sent with how its lifetime ended.
    public static let appContextTearingDown = Signal<Outcome>("appcontext_tearing_down")
    /// An app context was popped and is no longer current.
    public static let appContextPopped = Signal<Void>("appcontext_popped")
    /// A request is about to be handled.
    public static let requestStarted = Signal<Void>("request_started")
    /// A response was produced. Sent with its head.
    public static let requestFinished = Signal<HTTPResponse>("request_finished")
    /// The hooks of a request context have run; it is still current. Sent with how its lifetime ended.
    public static let requestTearingDown = Signal<Outcome>("request_tearing_down")
    /// A request failed with an error that nobody handled. Sent with the error.
    public static let gotRequestException = Signal<any Error>("got_request_exception")
}
