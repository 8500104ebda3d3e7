// How much a context records, from what its recorder, its app, its route and its test say.

package import ContrailRecorder
internal import HTTPTypes

extension App {
    /// How much contexts of the app record, unless a route or a test says otherwise.
    @inline(__always)
    var level: FlightRecorder.Level {
        self.withRecorder { self.level(of: $0.level) } ?? .off
    }

    /// The same from the level of the recorder.
    @inline(__always)
    func level(of recorded: FlightRecorder.Level) -> FlightRecorder.Level {
        recorded == .off ? .off : self.ownLevel ?? recorded
    }

    /// Where a lifetime that begins now takes its number from. Asked only where not all are recorded alike.
    ///
    /// - Parameters:
    ///   - request: The request that the context is pushed for.
    ///   - choice: What was decided before.
    func numbering(
        under parent: TrailEvent.ContextOrdinal?,
        for request: RequestContext? = nil,
        choice: RecordingChoice? = nil
    ) -> OrdinalSource? {
        guard self.isRecording else { return nil }
        let choice = choice ?? request?.chooseRecording() ?? self.recording.choice(endpoint: nil)
        return OrdinalSource(parent: parent, terms: choice.terms)
    }

    /// The number for a lifetime of an app context that begins where it is called.
    @inline(never)
    func selectiveOrdinal(_ recorder: FlightRecorder, for request: RequestContext?) -> TrailEvent.ContextOrdinal {
        let parent = self.ordinal(of: ContextLayers.inheritable?.visible.app)
        return self.numbering(under: parent, for: request)?.next(recorder) ?? recorder.nextOrdinal()
    }
}

/// Gives a lifetime its number, which says whether it is sampled out.
struct OrdinalSource: Sendable {
    let parent: TrailEvent.ContextOrdinal?
    let terms: SampleTerms?

    func next(_ recorder: FlightRecorder) -> TrailEvent.ContextOrdinal {
        recorder.nextOrdinal(under: self.parent, sampledOutOn: self.terms)
    }
}

extension App.RequestContext {
    /// How much the request records.
    package var level: FlightRecorder.Level {
        let app = self.app.level
        return app == .off ? .off : self.ownLevel ?? app
    }

    /// Whether a push has to do more than record itself: a level of its own, or one of a replay.
    @inline(__always)
    var recordsAtPush: Bool {
        self.app.recordsSelectively || self.origin == .test || self.app.level >= .replay
    }

    /// Where a lifetime that begins now takes its number from. Nested in a held app context it shares its fate; one that brought
    /// its app context along has shared its own.
    func numbering(on appContext: AppContext, ownsApp: Bool) -> OrdinalSource? {
        let parent = self.app.ordinal(of: appContext)
        let shared = ownsApp ? RecordingChoice(level: nil, terms: nil) : nil
        return self.app.numbering(under: parent, for: self, choice: shared)
    }

    /// Decides what is to become of the request, and remembers it.
    func chooseRecording() -> RecordingChoice {
        let choice = self.app.recording.choice(endpoint: self.expectedEndpoint)
        self.note(choice)
        return choice
    }

    /// The endpoint before the path was matched: the push has to know it.
    private var expectedEndpoint: String? {
        if let endpoint = self.endpoint { return endpoint }
        guard self.app.hasRoutes, let routes = self.app.handlers?.handlers.routes else { return nil }
        guard case .matched(_, _, let route, _) = routes.match(self.state.target, self.state.method) else { return nil }
        return route.endpoint
    }

    /// Does what the level asks for at a push: `g` follows it, and the request is written down.
    func recordAtPush(on appContext: AppContext) {
        let level = self.level
        if let own = self.ownLevel {
            appContext.g.storage.follow(own)
        } else {
            appContext.touchedNamespace?.follow(nil)
        }
        if level >= .replay { self.recordInput() }
    }
}

extension AppContext {
    /// How much is recorded of what is drawn through the context: as much as of its `g`.
    var level: FlightRecorder.Level { self.touchedNamespace?.level ?? self.app.level }
}
