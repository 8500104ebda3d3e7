// The application: what app and request contexts are contexts of.

public import ContrailRecorder
private import Synchronization

/// An application: its name, its teardown hooks, and where its contexts record and take time, ids and randomness from.
///
/// Make one for each service, at start-up. Contexts of two apps are told apart by the app's identity, not by its name.
/// May be used from any thread.
public final class App: Sendable {
    /// The name, as the trail shows it.
    public let name: String
    /// Where contexts of the app leave their trail; `nil` leaves none.
    public let recorder: FlightRecorder?
    /// Whether a request push makes its worker begin a new unit of work.
    public let recyclesOnRequest: Bool

    let clock: any ContextClock
    let ids: any IDGenerator
    let random: any RandomSource

    private struct Hooks {
        var app: [TeardownHook<AppContext>] = []
        var request: [TeardownHook<RequestContext>] = []
    }

    private let hooks = Mutex(Hooks())
    private let hookCount = Atomic<Int>(0)

    /// Makes an app.
    ///
    /// - Parameters:
    ///   - name: The name, as the trail shows it.
    ///   - recorder: Where contexts leave their trail; `nil` leaves none.
    ///   - clock: What `context.now` asks.
    ///   - ids: What `context.makeID()` asks.
    ///   - random: What `context.random` asks.
    ///   - recyclesOnRequest: Whether a request push makes its worker begin a new unit of work (on by default).
    public init(
        _ name: String,
        recorder: FlightRecorder? = nil,
        clock: any ContextClock = SystemContextClock(),
        ids: any IDGenerator = UUIDGenerator(),
        random: any RandomSource = SystemRandomSource(),
        recyclesOnRequest: Bool = true
    ) {
        self.name = name
        self.recorder = recorder
        self.clock = clock
        self.ids = ids
        self.random = random
        self.recyclesOnRequest = recyclesOnRequest
    }

    // MARK: - Teardown hooks

    /// Registers a hook that runs when a lifetime of an app context ends, in reverse order of registration.
    ///
    /// A hook that throws stops nothing: the others run, and the errors are collected. A hook registered while a teardown
    /// runs is not part of it (`TD-01`, `TD-08`, `TD-10`).
    public func teardownAppContext(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ hook: @escaping @Sendable (AppContext, Outcome) throws -> Void
    ) {
        self.add(Self.hook(name, Site(fileID: fileID, line: line), .sync(hook)), to: \.app)
    }

    /// Registers an async hook that runs, shielded from cancellation, when a lifetime of an app context ends.
    ///
    /// With an async hook registered, a synchronous `pop()` throws ``ContextError/Code/asyncHooks`` before any effect.
    public func teardownAppContext(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ hook: @escaping @Sendable (AppContext, Outcome) async throws -> Void
    ) {
        self.add(Self.hook(name, Site(fileID: fileID, line: line), .async(hook)), to: \.app)
    }

    /// Registers a hook that runs when a lifetime of a request context ends, in reverse order of registration, before the
    /// hooks of the app context.
    public func teardownRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ hook: @escaping @Sendable (RequestContext, Outcome) throws -> Void
    ) {
        self.add(Self.hook(name, Site(fileID: fileID, line: line), .sync(hook)), to: \.request)
    }

    /// Registers an async hook that runs, shielded from cancellation, when a lifetime of a request context ends.
    ///
    /// With an async hook registered, a synchronous `pop()` throws ``ContextError/Code/asyncHooks`` before any effect.
    public func teardownRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ hook: @escaping @Sendable (RequestContext, Outcome) async throws -> Void
    ) {
        self.add(Self.hook(name, Site(fileID: fileID, line: line), .async(hook)), to: \.request)
    }

    /// The hooks of app contexts in the order in which they run.
    var appHooks: [TeardownHook<AppContext>] {
        guard self.hookCount.load(ordering: .acquiring) > 0 else { return [] }
        return self.hooks.withLock { $0.app.reversed() }
    }

    /// The hooks of request contexts in the order in which they run.
    var requestHooks: [TeardownHook<RequestContext>] {
        guard self.hookCount.load(ordering: .acquiring) > 0 else { return [] }
        return self.hooks.withLock { $0.request.reversed() }
    }

    /// Whether app contexts have a hook that only an async caller can run.
    var hasAsyncAppHooks: Bool { self.appHooks.contains(where: \.isAsync) }

    /// Whether request contexts have a hook that only an async caller can run.
    var hasAsyncRequestHooks: Bool { self.requestHooks.contains(where: \.isAsync) }

    private func add<Subject>(
        _ hook: TeardownHook<Subject>,
        to list: WritableKeyPath<Hooks, [TeardownHook<Subject>]>
    ) {
        self.hooks.withLock { $0[keyPath: list].append(hook) }
        self.hookCount.add(1, ordering: .releasing)
    }

    private static func hook<Subject>(
        _ name: String?,
        _ site: Site,
        _ body: TeardownHook<Subject>.Body
    ) -> TeardownHook<Subject> {
        TeardownHook(name: name ?? site.description, site: site, body: body)
    }
}
