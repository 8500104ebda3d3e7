// Waiting for a condition with a deadline.

/// Asks again and again until the answer is not nil. Throws when the time is up.
package func eventually<Value: Sendable>(
    _ what: String,
    within limit: Duration,
    every interval: Duration = .milliseconds(10),
    _ answer: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await answer() { return value }
        guard ContinuousClock.now < deadline else { throw TestSupportError("not within \(limit): \(what)") }
        try await Task.sleep(for: interval)
    }
}

/// Something that a test depends on did not happen.
package struct TestSupportError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
