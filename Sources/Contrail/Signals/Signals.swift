// The seven signals of Flask.

public import HTTPTypes

/// The signals that apps send. The sender is always the app; connect to one app or to all.
public enum Signals {
    /// An app context was pushed and is current. A receiver that throws undoes the push.
    public static var appContextPushed: Signal<Void> { self.all.appContextPushed }
    /// The hooks of an app context have run; it is still current. Sent with how its lifetime ended.
    public static var appContextTearingDown: Signal<Outcome> { self.all.appContextTearingDown }
    /// An app context was popped and is no longer current.
    public static var appContextPopped: Signal<Void> { self.all.appContextPopped }
    /// A request is about to be handled.
    public static var requestStarted: Signal<Void> { self.all.requestStarted }
    /// A response was produced. Sent with its head.
    public static var requestFinished: Signal<HTTPResponse> { self.all.requestFinished }
    /// The hooks of a request context have run; it is still current. Sent with how its lifetime ended.
    public static var requestTearingDown: Signal<Outcome> { self.all.requestTearingDown }
    /// A request failed with an error that nobody handled. Sent with the error.
    public static var gotRequestException: Signal<any Error> { self.all.gotRequestException }

    /// All of them. Every app holds them: whoever has one at hand finds a signal without looking for a global.
    static let all = All()

    /// The signals as one object.
    final class All: Sendable {
        let appContextPushed = Signal<Void>("appcontext_pushed")
        let appContextTearingDown = Signal<Outcome>("appcontext_tearing_down")
        let appContextPopped = Signal<Void>("appcontext_popped")
        let requestStarted = Signal<Void>("request_started")
        let requestFinished = Signal<HTTPResponse>("request_finished")
        let requestTearingDown = Signal<Outcome>("request_tearing_down")
        let gotRequestException = Signal<any Error>("got_request_exception")
    }
}
