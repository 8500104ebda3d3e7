// Finds the route of a path: a tree of segments.

package import HTTPTypes

/// The routes of an app. A value: take a copy, and matching needs no lock.
///
/// Matching visits each node of the tree at most once, whatever the path; a path deeper than every rule costs nothing.
package struct RouteMap<Payload: Sendable>: Sendable {
    /// What a path and method led to.
    package enum Match: Sendable {
        case matched(endpoint: String, viewArgs: [String: RouteValue], payload: Payload, rule: String)
        /// Routes have the path, but other methods: these, sorted, for the `Allow` field.
        case methodNotAllowed([HTTPRequest.Method])
        case notFound
    }

    private struct Entry: Sendable {
        let pattern: RoutePattern
        let methods: Set<HTTPRequest.Method>
        let endpoint: String
        let payload: Payload
    }

    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        var int: Int?
        var string: Int?
        /// The rules that end here, in order of registration.
        var entries: [Entry] = []
    }

    /// The rules without parameters by their whole text: the first that the search would try.
    private var literalRules: [String: Int] = [:]
    private var nodes = [Node()]
    private var depth = 0

    package init() {}

    /// Adds a route; a rule for GET is one for HEAD too. Of two routes for the same path and method, the first one counts.
    package mutating func add(
        _ pattern: RoutePattern,
        methods: [HTTPRequest.Method],
        endpoint: String,
        payload: Payload
    ) throws(RoutePattern.Flaw) {
        guard !methods.isEmpty else { throw .noMethods(rule: pattern.rule) }
        var allowed = Set(methods)
        if allowed.contains(.get) { allowed.insert(.head) }
        var node = 0
        for segment in pattern.segments { node = self.child(of: node, for: segment) }
        self.nodes[node].entries.append(
            Entry(pattern: pattern, methods: allowed, endpoint: endpoint, payload: payload)
        )
        // A rule is clear text, a path is encoded: where they differ, the segments decide.
        if pattern.segments.allSatisfy({ $0.parameter == nil }), !pattern.rule.utf8.contains(UInt8(ascii: "%")) {
            self.literalRules[pattern.rule] = node
        }
        self.depth = max(self.depth, pattern.segments.count)
    }

    /// Adds a route for a rule that is still text.
    package mutating func add(
        _ rule: String,
        methods: [HTTPRequest.Method],
        endpoint: String,
        payload: Payload
    ) throws(RoutePattern.Flaw) {
        try self.add(RoutePattern(rule), methods: methods, endpoint: endpoint, payload: payload)
    }

    /// Finds the route of a path, which may have a query, as the request line has it; an absent path is `/`.
    ///
    /// Segments are tried one by one, static text before `int` before `string`, going back when a choice leads nowhere. A
    /// route of the path with other methods is remembered, and the search goes on (`URL-01`). Segments are percent-decoded
    /// one by one, so an encoded slash stays inside its segment.
    package func match(_ path: String?, _ method: HTTPRequest.Method) -> Match {
        // Bytes, not characters: a combining mark after a slash must not hide it.
        var path = Substring((path ?? "/").utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
        if path.isEmpty { path = "/" }
        guard path.utf8.first == UInt8(ascii: "/") else { return .notFound }
        if let node = self.literalRules[String(path)],
            let entry = self.nodes[node].entries.first(where: { $0.methods.contains(method) })
        {
            return .matched(endpoint: entry.endpoint, viewArgs: [:], payload: entry.payload, rule: entry.pattern.rule)
        }
        guard let segments = self.segments(of: path.dropFirst()) else { return .notFound }
        var search = Search(segments: segments, method: method)
        if let entry = self.find(from: 0, &search) {
            return .matched(
                endpoint: entry.endpoint,
                viewArgs: self.viewArgs(of: entry.pattern, segments),
                payload: entry.payload,
                rule: entry.pattern.rule
            )
        }
        guard !search.otherMethods.isEmpty else { return .notFound }
        return .methodNotAllowed(search.otherMethods.sorted { $0.rawValue < $1.rawValue })
    }

    /// What was registered with an endpoint. Goes through all routes.
    package func payload(of endpoint: String) -> Payload? {
        for node in self.nodes {
            if let entry = node.entries.first(where: { $0.endpoint == endpoint }) { return entry.payload }
        }
        return nil
    }

    private struct Search {
        let segments: [String]
        let method: HTTPRequest.Method
        var position = 0
        var otherMethods: Set<HTTPRequest.Method> = []
    }

    private func find(from node: Int, _ search: inout Search) -> Entry? {
        guard search.position < search.segments.count else {
            for entry in self.nodes[node].entries {
                if entry.methods.contains(search.method) { return entry }
                search.otherMethods.formUnion(entry.methods)
            }
            return nil
        }
        let segment = search.segments[search.position]
        search.position += 1
        defer { search.position -= 1 }
        if let child = self.nodes[node].literals[segment], let entry = self.find(from: child, &search) { return entry }
        if let child = self.nodes[node].int, Self.number(segment) != nil, let entry = self.find(from: child, &search) {
            return entry
        }
        if let child = self.nodes[node].string, !segment.isEmpty { return self.find(from: child, &search) }
        return nil
    }

    /// The decoded segments; `nil` when there are more than any rule has.
    private func segments(of path: Substring) -> [String]? {
        var segments: [String] = []
        let slash = UInt8(ascii: "/")
        for segment in path.utf8.split(separator: slash, maxSplits: self.depth, omittingEmptySubsequences: false) {
            guard segments.count < self.depth else { return nil }
            segments.append(PercentDecoding.decode(Substring(segment)))
        }
        return segments
    }

    private func viewArgs(of pattern: RoutePattern, _ segments: [String]) -> [String: RouteValue] {
        var viewArgs: [String: RouteValue] = [:]
        for (segment, text) in zip(pattern.segments, segments) {
            switch segment {
            case .literal: break
            case .int(let name): viewArgs[name] = Self.number(text).map(RouteValue.int)
            case .string(let name): viewArgs[name] = .string(text)
            }
        }
        return viewArgs
    }

    private mutating func child(of node: Int, for segment: RoutePattern.Segment) -> Int {
        let existing =
            switch segment {
            case .literal(let text): self.nodes[node].literals[text]
            case .int: self.nodes[node].int
            case .string: self.nodes[node].string
            }
        if let existing { return existing }
        let child = self.nodes.count
        self.nodes.append(Node())
        switch segment {
        case .literal(let text): self.nodes[node].literals[text] = child
        case .int: self.nodes[node].int = child
        case .string: self.nodes[node].string = child
        }
        return child
    }

    /// The number that a segment of ASCII digits stands for; `nil` when it is too large.
    private static func number(_ segment: String) -> Int? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard !segment.isEmpty, segment.utf8.allSatisfy(digits.contains) else { return nil }
        return Int(segment)
    }
}
