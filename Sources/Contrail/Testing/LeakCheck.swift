// Fails a test that leaves contexts pushed.

internal import ContextVariables
internal import ContrailRecorder

/// Runs the closure and throws ``ContextError/Code/contextsLeaked`` when it leaves contexts pushed: the check that a test goes
/// in, to find a `push()` without its `pop()` (`TST-11`).
///
/// The error names what was left and where it was pushed; it is torn down by a housekeeping task, as a leak. An error of the
/// closure leaves instead, with the same teardown. Contexts of closure forms cannot leak; pushes on other threads are not
/// seen.
public func withoutContextLeaks<Result>(
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: () throws -> Result
) throws -> Result {
    let check = LeakCheck()
    let result = Swift.Result { try check.scope.run(operation) }
    let error = check.end(Site(fileID: fileID, line: line))
    let value = try result.get()
    if let error { throw error }
    return value
}

/// Runs the closure, on the caller's actor, and throws ``ContextError/Code/contextsLeaked`` when it leaves contexts pushed.
/// Everything else is as with the synchronous form.
public nonisolated(nonsending) func withoutContextLeaks<Result>(
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: nonisolated(nonsending) () async throws -> Result
) async throws -> Result {
    let check = LeakCheck()
    let result: Swift.Result<Result, any Error>
    do {
        result = .success(try await check.scope.run(operation))
    } catch {
        result = .failure(error)
    }
    let error = check.end(Site(fileID: fileID, line: line))
    let value = try result.get()
    if let error { throw error }
    return value
}

/// A scope of its own for the pushes of the closure.
private struct LeakCheck {
    private let pushes = PushScope(of: .current, in: ContextLayers.inheritable)

    var scope: Scope { self.pushes.scope }

    /// Ends the scope. Returns the error for what was left in it.
    func end(_ site: Site) -> ContextError? {
        self.pushes.layers.close()
        let leftovers = self.pushes.layers.takeLeftovers()
        guard !leftovers.isEmpty else { return nil }
        let names = leftovers.map { push in
            switch push.subject {
            case .app(let context): "<AppContext of \(context.app.name)>, pushed at \(push.site)"
            case .request(let context, _): "\(context), pushed at \(push.site)"
            }
        }
        Housekeeping.tearDown(leftovers)
        return ContextError(
            .contextsLeaked,
            "left pushed: \(names.joined(separator: "; ")): pop it where it was pushed, or use the closure form",
            site: site
        )
    }
}
