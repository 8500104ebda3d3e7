// What the clients of the load did, and what the trail must therefore say.

/// Counts of one client, or of all.
struct LoadTally: Sendable {
    /// A route as the trail names it, and how a request to it ends.
    struct Ending: Hashable, Comparable, Sendable {
        let method: String
        let endpoint: String
        let outcome: String

        static func < (left: Ending, right: Ending) -> Bool {
            (left.method, left.endpoint, left.outcome) < (right.method, right.endpoint, right.outcome)
        }
    }

    /// How many requests ended in which way.
    private(set) var endings: [Ending: Int] = [:]
    /// The paths of the orders that were accepted for shipping, each as often as it was.
    private(set) var shipped: [String: Int] = [:]
    /// The ids that failing requests wrote to `g`.
    private(set) var failedIDs: Set<Int64> = []
    /// Contexts that were pushed and forgotten.
    private(set) var leaks = 0
    /// The sizes of the complete reports.
    private(set) var reportSizes: [Int] = []
    /// Changes of `g`: names set, names removed, and lifetimes that ended with something in it.
    private(set) var names = (set: 0, deleted: 0, snapshots: 0)

    /// How many requests were sent.
    var requests: Int { self.endings.values.reduce(0, +) }

    /// How many jobs were started.
    var jobs: Int { self.shipped.values.reduce(0, +) }

    /// How many requests ended in a way, on whatever route.
    func count(_ outcome: String) -> Int {
        self.endings.reduce(0) { $1.key.outcome == outcome ? $0 + $1.value : $0 }
    }

    /// Notes a request that the service answered, or that was reset.
    mutating func note(_ action: LoadPlan.Action, path: String = "", size: Int = 0) {
        switch action {
        case .create: self.add("POST", "/orders", "ok", sets: 2, deletes: 1)
        case .createRefused: self.add("POST", "/orders", "handled", sets: 1)
        case .list: self.add("GET", "/orders", "ok", sets: 1)
        case .find: self.add("GET", "/orders/{id}", "ok", sets: 2, deletes: 1)
        case .findUnknown: self.add("GET", "/orders/{id}", "handled", sets: 2, deletes: 1)
        case .shipUnknown: self.add("POST", "/orders/{id}/ship", "handled", sets: 2, deletes: 1)
        case .ship:
            self.add("POST", "/orders/{id}/ship", "ok", sets: 2, deletes: 1)
            // The job's own context holds the order and a connection as well.
            self.addNames(sets: 2, deletes: 1)
            self.shipped[path, default: 0] += 1
        case .boom(let id):
            self.add("GET", "/boom", "failed", sets: 1, deletes: 1)
            self.failedIDs.insert(id)
        case .leak:
            self.add("GET", "/leak", "ok", sets: 0)
            self.leaks += 1
        case .report:
            self.add("GET", "/report", "ok", sets: 1)
            self.reportSizes.append(size)
        case .reportThenReset: self.add("GET", "/report", "aborted", sets: 1)
        }
    }

    /// Adds what another client did.
    mutating func add(_ other: LoadTally) {
        self.endings.merge(other.endings, uniquingKeysWith: +)
        self.shipped.merge(other.shipped, uniquingKeysWith: +)
        self.failedIDs.formUnion(other.failedIDs)
        self.leaks += other.leaks
        self.reportSizes += other.reportSizes
        self.names.set += other.names.set
        self.names.deleted += other.names.deleted
        self.names.snapshots += other.names.snapshots
    }

    private mutating func add(_ method: String, _ endpoint: String, _ outcome: String, sets: Int, deletes: Int = 0) {
        self.endings[Ending(method: method, endpoint: endpoint, outcome: outcome), default: 0] += 1
        self.addNames(sets: sets, deletes: deletes)
    }

    private mutating func addNames(sets: Int, deletes: Int) {
        self.names.set += sets
        self.names.deleted += deletes
        self.names.snapshots += sets > 0 ? 1 : 0
    }
}
