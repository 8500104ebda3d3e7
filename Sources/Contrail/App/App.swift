// The application: what app and request contexts are contexts of.

internal import ContextVariables
public import ContrailRecorder
private import Synchronization

/// An application: its name and configuration, its hooks, handlers and routes, and where its contexts record and take time,
/// ids and randomness from.
///
/// Make one for each service, at start-up. Contexts of two apps are told apart by the app's identity, not by its name.
/// Hooks, handlers and routes are registered before the first request. May be used from any thread.
public final class App: Sendable {
    /// The name.
    public let name: String
    /// The name as the trail shows it: free of secrets.
    let shownName: String
    /// Where contexts of the app leave their trail; `nil` leaves none.
    public let recorder: FlightRecorder?
    /// How much the contexts record, and of how many of them.
    public let recording: Recording
    /// Whether a request push makes its worker begin a new unit of work.
    public let recyclesOnRequest: Bool

    /// How sessions are opened and saved; `nil` gives every request a null session.
    public let sessions: (any SessionInterface)?
    /// Whether there is one. Asking for it would copy it.
    let hasSessions: Bool
    /// What extensions keep with the app.
    public let extensions = Extensions()

    /// Whether not all contexts are recorded alike.
    let recordsSelectively: Bool
    /// The level of ``recording``, near at hand.
    let ownLevel: FlightRecorder.Level?
    /// Whether the recorder records, near at hand; nil without one.
    let indicator: RecordingIndicator?
    /// The app, and the workers of tasks that have none, in the words of the recorder.
    let recordedApp: FlightRecorder.RecordedApp
    let recordedTasks: RecordedWorkerKind?
    /// The signals that its contexts send, near at hand.
    let signals = Signals.all
    let makeNamespace: (@Sendable () -> any Sendable)?
    let clock: any ContextClock
    let ids: any IDGenerator
    let random: any RandomSource

    /// Every state of what is registered. Setting up makes few of them, and what a reader finds lives as long as the app.
    private let tables = Mutex<[HandlerTable]>([])
    /// The address of the last one; 0 while there is none. Written under the lock.
    private let table = Atomic<UInt>(0)
    // What the table says, for readers on every way out. Written under its lock.
    private let appHooksAreAsync = Atomic<Bool>(false)
    private let requestHooksAreAsync = Atomic<Bool>(false)
    private let appHooksAreThere = Atomic<Bool>(false)
    private let routesAreThere = Atomic<Bool>(false)
    private let configState: Mutex<Config>
    private let hasDispatched = Atomic<Bool>(false)

    /// Makes an app.
    ///
    /// - Parameters:
    ///   - name: The name, as the trail shows it.
    ///   - recorder: Where contexts leave their trail; `nil` leaves none.
    ///   - recording: How much the contexts record, and of how many of them; by default all of them, as much as the recorder says.
    ///   - config: What it is configured with; ``config`` changes it later.
    ///   - sessions: How sessions are opened and saved; `nil` gives every request a null session.
    ///   - clock: What `context.now` asks.
    ///   - ids: What `context.makeID()` asks.
    ///   - random: What `context.random` asks.
    ///   - recyclesOnRequest: Whether a request push makes its worker begin a new unit of work (on by default).
    ///   - namespace: Makes an object of the user's own for each app context, beside `g`: ``AppContext/namespace(as:fileID:line:)``.
    public init(
        _ name: String,
        recorder: FlightRecorder? = nil,
        recording: Recording = Recording(),
        config: Config = Config(),
        sessions: (any SessionInterface)? = nil,
        clock: any ContextClock = SystemContextClock(),
        ids: any IDGenerator = UUIDGenerator(),
        random: any RandomSource = SystemRandomSource(),
        recyclesOnRequest: Bool = true,
        namespace: (@Sendable () -> any Sendable)? = nil
    ) {
        self.name = name
        self.shownName = recorder?.redacted(name, limit: 128) ?? RedactionPolicy().redacted(name, limit: 128)
        self.recorder = recording.level == .off ? nil : recorder
        self.indicator = self.recorder?.indicator
        self.recordedApp = self.recorder?.app(self.shownName) ?? .unknown
        self.recordedTasks = self.recorder?.workerKind(WorkUnit.Label.taskKind)
        self.recording = recording
        self.ownLevel = recording.level
        self.recordsSelectively = self.recorder != nil && recording.isSelective
        self.configState = Mutex(config)
        self.sessions = sessions
        self.hasSessions = sessions != nil
        self.clock = clock
        self.ids = ids
        self.random = random
        self.recyclesOnRequest = recyclesOnRequest
        self.makeNamespace = namespace
    }

    /// What the app is configured with. A copy: change it as a whole, `app.config.testing = true`.
    public var config: Config {
        get { self.configState.withLock { $0 } }
        set {
            // The old value leaves the lock before it is released: what it holds may run user code when it dies.
            let old = self.configState.withLock { config in
                let old = config
                config = newValue
                return old
            }
            withExtendedLifetime(old) {}
        }
    }

    /// Whether the app has handled its first request: nothing can be registered any more.
    public var isSetupFinished: Bool { self.hasDispatched.load(ordering: .acquiring) }

    /// Ends the setup: the app handles its first request.
    package func finishSetup() {
        guard !self.isSetupFinished else { return }
        // Under the lock: what is being registered at this moment is there for the first request, or refused.
        self.tables.withLock { _ in self.hasDispatched.store(true, ordering: .releasing) }
    }

    /// What is registered; `nil` when nothing is.
    var handlers: HandlerTable? { self.borrowedHandlers?.takeUnretainedValue() }

    /// The same for those who hold the app, which holds it.
    @inline(__always)
    var borrowedHandlers: Unmanaged<HandlerTable>? {
        UnsafeRawPointer(bitPattern: self.table.load(ordering: .acquiring)).map { Unmanaged.fromOpaque($0) }
    }

    /// Whether any route is registered.
    var hasRoutes: Bool { self.routesAreThere.load(ordering: .acquiring) }

    /// Whether anything is registered.
    var hasHandlers: Bool { self.table.load(ordering: .acquiring) != 0 }

    /// Whether app contexts have any hook.
    var hasAppHooks: Bool { self.appHooksAreThere.load(ordering: .acquiring) }

    /// Whether app contexts have a hook that only an async caller can run.
    var hasAsyncAppHooks: Bool { self.appHooksAreAsync.load(ordering: .acquiring) }

    /// Whether request contexts have a hook that only an async caller can run.
    var hasAsyncRequestHooks: Bool { self.requestHooksAreAsync.load(ordering: .acquiring) }

    /// Registers something. The functions it brings are stored, never called, under the lock.
    func register(_ site: Site, _ add: (inout Handlers) throws(ContextError) -> Void) throws(ContextError) {
        try self.tables.withLock { tables throws(ContextError) in
            guard !self.isSetupFinished else {
                throw ContextError(
                    .setupFinished,
                    "the app \(self.name) has handled its first request: register hooks, handlers and routes before that",
                    site: site
                )
            }
            var handlers = tables.last?.handlers ?? Handlers()
            try add(&handlers)
            let table = HandlerTable(handlers)
            tables.append(table)
            self.appHooksAreAsync.store(handlers.hasAsyncAppTeardown, ordering: .releasing)
            self.appHooksAreThere.store(!handlers.appTeardown.isEmpty, ordering: .releasing)
            self.routesAreThere.store(handlers.hasRoutes, ordering: .releasing)
            self.requestHooksAreAsync.store(handlers.hasAsyncRequestTeardown, ordering: .releasing)
            self.table.store(UInt(bitPattern: Unmanaged.passUnretained(table).toOpaque()), ordering: .releasing)
        }
    }
}
