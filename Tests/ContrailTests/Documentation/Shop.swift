// What the code of the articles talks about.

import Synchronization

/// A database that knows whether it was closed, and how.
final class OrderDatabase: Sendable {
    private let state = Mutex<String>("open")

    var ending: String { self.state.withLock { $0 } }

    func close(keeping isKept: Bool) { self.state.withLock { $0 = isKept ? "committed" : "rolled back" } }
}

struct Plugin: Sendable, Equatable {
    let name: String
}
