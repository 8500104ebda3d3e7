// Which route a path leads to.

import Contrail
import HTTPTypes
import TestSupport
import Testing

@Suite("Matching paths to routes")
struct RouteMapTests {
    /// Routes in order; the payload is the place in the list.
    private static func map(_ routes: (String, [HTTPRequest.Method])...) throws -> RouteMap<Int> {
        var map = RouteMap<Int>()
        for (index, (rule, methods)) in routes.enumerated() {
            try map.add(rule, methods: methods, endpoint: "e\(index)", payload: index)
        }
        return map
    }

    private static func map(_ rules: [String]) throws -> RouteMap<Int> {
        var map = RouteMap<Int>()
        for (index, rule) in rules.enumerated() { try map.add(rule, methods: [.get], endpoint: rule, payload: index) }
        return map
    }

    @Test("Static text, numbers and texts are found, and the parameters are typed.")
    func parameters() throws {
        let map = try Self.map(["/", "/items", "/items/<int:id>", "/u/<name>", "/a/<string:x>/b/<int:y>"])
        #expect(map.match("/", .get).text == "/ [:]")
        #expect(map.match("/items?x=1#y", .get).text == "/items [:]")
        #expect(map.match("/items/007", .get).args == ["id": .int(7)])
        #expect(map.match("/u/7", .get).args == ["name": .string("7")])
        #expect(map.match("/a/1/b/2", .get).args == ["x": .string("1"), "y": .int(2)])
        #expect(map.match("/items/x", .get).text == "404")
        #expect(map.match("/items/7/x", .get).text == "404")
    }

    @Test("An absent or empty path is the root; what is no path is not found.")
    func odd() throws {
        let map = try Self.map(["/", "/<x>"])
        #expect(map.match(nil, .get).text == "/ [:]")
        #expect(map.match("", .get).text == "/ [:]")
        #expect(map.match("?a=1", .get).text == "/ [:]")
        #expect(map.match("*", .options).text == "404")
        #expect(map.match("http://localhost/", .get).text == "404")
    }

    @Test("A trailing slash makes another path, and a text parameter is never empty.")
    func trailingSlash() throws {
        let map = try Self.map(["/a", "/b/", "/u/<name>"])
        #expect(map.match("/a/", .get).text == "404")
        #expect(map.match("/b", .get).text == "404")
        #expect(map.match("/b/", .get).text == "/b/ [:]")
        #expect(map.match("/u/", .get).text == "404")
        #expect(map.match("//", .get).text == "404")
    }

    @Test("At each segment static text comes before a number, and that before a text.")
    func precedence() throws {
        let map = try Self.map(["/u/<name>", "/u/<int:id>", "/u/7"])
        #expect(map.match("/u/7", .get).rule == "/u/7")
        #expect(map.match("/u/8", .get).rule == "/u/<int:id>")
        #expect(map.match("/u/x", .get).rule == "/u/<name>")
    }

    @Test("A choice that leads nowhere is taken back.")
    func backtracking() throws {
        let map = try Self.map(["/a/b/c", "/a/<int:n>/d", "/a/<x>/<y>", "/<z>/b/e"])
        #expect(map.match("/a/b/c", .get).rule == "/a/b/c")
        #expect(map.match("/a/b/q", .get).rule == "/a/<x>/<y>")
        #expect(map.match("/a/1/d", .get).rule == "/a/<int:n>/d")
        #expect(map.match("/a/1/e", .get).rule == "/a/<x>/<y>")
        #expect(map.match("/q/b/e", .get).rule == "/<z>/b/e")
        #expect(map.match("/a/b/e", .get).args == ["x": .string("b"), "y": .string("e")])
    }

    @Test("URL-01: a path with other methods is remembered, and the search goes on.")
    func otherMethods() throws {
        let map = try Self.map(("/u/me", [.post]), ("/u/<int:id>", [.delete]), ("/u/<name>", [.get, .put]))
        #expect(map.match("/u/me", .get).rule == "/u/<name>")
        #expect(map.match("/u/me", .post).rule == "/u/me")
        #expect(map.match("/u/me", .delete).text == "405 GET HEAD POST PUT")
        #expect(map.match("/u/7", .patch).text == "405 DELETE GET HEAD PUT")
        #expect(map.match("/q", .get).text == "404")
    }

    @Test("A rule for GET answers HEAD; nothing answers OPTIONS by itself.")
    func head() throws {
        let map = try Self.map(("/a", [.get]), ("/b", [.post]))
        #expect(map.match("/a", .head).rule == "/a")
        #expect(map.match("/b", .head).text == "405 POST")
        #expect(map.match("/a", .options).text == "405 GET HEAD")
    }

    @Test("Of two routes for one path and method the first one counts, whatever their parameters are called.")
    func first() throws {
        let map = try Self.map(("/u/<int:id>", [.get]), ("/u/<int:number>", [.get, .put]))
        #expect(map.match("/u/1", .get).args == ["id": .int(1)])
        #expect(map.match("/u/1", .put).args == ["number": .int(1)])
    }

    @Test("A route for no method is refused.")
    func noMethods() {
        var map = RouteMap<Int>()
        #expect(throws: RoutePattern.Flaw.noMethods(rule: "/a")) {
            try map.add("/a", methods: [], endpoint: "a", payload: 0)
        }
        #expect(map.match("/a", .get).text == "404")
    }

    @Test("Numbers of any length are numbers or not found.", arguments: [19, 20, 40, 10_000])
    func longNumbers(digits: Int) throws {
        let number = String(repeating: "9", count: digits)
        #expect(try Self.map(["/<int:n>"]).match("/\(number)", .get).text == "404")
        let both = try Self.map(["/<int:n>", "/<s>"])
        #expect(both.match("/\(number)", .get).args == ["s": .string(number)])
        #expect(both.match("/\(Int.max)", .get).args == ["n": .int(.max)])
        #expect(both.match("/0\(Int.max)", .get).args == ["n": .int(.max)])
    }

    @Test(
        "Only plain ASCII digits are a number.",
        arguments: ["-1", "+1", "1.0", "1e3", " 1", "٣", "1_000", "½", "%C2%B2"]
    )
    func noNumber(text: String) throws {
        #expect(try Self.map(["/<int:n>"]).match("/\(text)", .get).text == "404")
    }

    @Test("Segments are decoded one by one: an encoded slash stays inside, and what is no encoding stays text.")
    func decoding() throws {
        let map = try Self.map(["/a b", "/<x>", "/a/b", "/100%25"])
        #expect(map.match("/a%20b", .get).rule == "/a b")
        #expect(map.match("/a%2Fb", .get).args == ["x": .string("a/b")])
        #expect(map.match("/%", .get).args == ["x": .string("%")])
        #expect(map.match("/%zz%f", .get).args == ["x": .string("%zz%f")])
        #expect(map.match("/%C3%A9", .get).args == ["x": .string("é")])
        #expect(map.match("/%ff%41%C3", .get).args == ["x": .string("%ffA%C3")])
        #expect(map.match("/a+b", .get).args == ["x": .string("a+b")])
        #expect(map.match("/%61", .get).args == ["x": .string("a")])
        #expect(map.match("/%31%30%30%25%32%35", .get).rule == "/100%25")
        #expect(map.match("/100%25", .get).args == ["x": .string("100%")])
    }

    @Test("A combining mark after a separator does not hide it.")
    func combiningMarks() throws {
        let map = try Self.map(["/a/<x>"])
        #expect(map.match("/a/\u{301}b", .get).args == ["x": .string("\u{301}b")])
        #expect(map.match("/a/b?\u{301}", .get).args == ["x": .string("b")])
    }

    @Test("A copy is not changed by routes added later.")
    func value() throws {
        var map = try Self.map(["/a"])
        let copy = map
        try map.add("/b", methods: [.get], endpoint: "b", payload: 1)
        #expect(copy.match("/b", .get).text == "404")
        #expect(map.match("/b", .get).rule == "/b")
    }

    @Test("A path of a million segments is answered at once.")
    func deep() throws {
        let map = try Self.map(["/<a>/<b>", "/a/a"])
        #expect(map.match(String(repeating: "/a", count: 1_000_000), .get).text == "404")
        #expect(map.match(String(repeating: "/", count: 1_000_000), .get).text == "404")
    }

    @Test("Random maps match as a search through all rules does.")
    func model() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let pieces = ["a", "b", "1", "<int:%>", "<%>"]
        let methods: [HTTPRequest.Method] = [.get, .post, .put]
        for _ in 0..<300 {
            var map = RouteMap<Int>()
            var rules: [Rule] = []
            for index in 0..<Int.random(in: 1...12, using: &random) {
                let depth = Int.random(in: 1...4, using: &random)
                let text = (0..<depth).map {
                    "/" + pieces.randomElement(using: &random)!.replacing("%", with: "p\($0)")
                }
                .joined()
                let allowed = methods.filter { _ in Bool.random(using: &random) }
                guard !allowed.isEmpty else { continue }
                let pattern = try RoutePattern(text)
                try map.add(pattern, methods: allowed, endpoint: "e", payload: index)
                rules.append(Rule(pattern: pattern, methods: allowed, index: index))
            }
            for _ in 0..<40 {
                let depth = Int.random(in: 1...4, using: &random)
                let segments = (0..<depth).map { _ in ["a", "b", "1", "2", "c", ""].randomElement(using: &random)! }
                let method = methods.randomElement(using: &random)!
                let path = "/" + segments.joined(separator: "/")
                let comment = Comment(rawValue: "seed \(seed), \(method) \(path), \(rules.map(\.pattern.rule))")
                #expect(map.match(path, method).summary == Rule.expected(rules, segments, method), comment)
            }
        }
    }
}

/// A rule of the model: it is held against a path whole, and the best of those that fit is chosen by rank.
private struct Rule {
    let pattern: RoutePattern
    let methods: [HTTPRequest.Method]
    let index: Int

    static func expected(_ rules: [Rule], _ segments: [String], _ method: HTTPRequest.Method) -> String {
        let fitting = rules.filter { $0.fits(segments) }
        guard !fitting.isEmpty else { return "404" }
        let allowed = fitting.filter { $0.methods.contains(method) }
        let best = allowed.min { left, right in
            left.rank == right.rank ? left.index < right.index : left.rank.lexicographicallyPrecedes(right.rank)
        }
        if let best { return "\(best.index)" }
        var names = Set(fitting.flatMap { $0.methods.map(\.rawValue) })
        if names.contains("GET") { names.insert("HEAD") }
        return (["405"] + names.sorted()).joined(separator: " ")
    }

    private var rank: [Int] {
        self.pattern.segments.map { segment in
            switch segment {
            case .literal: 0
            case .int: 1
            case .string: 2
            }
        }
    }

    private func fits(_ segments: [String]) -> Bool {
        guard segments.count == self.pattern.segments.count else { return false }
        return zip(self.pattern.segments, segments).allSatisfy { segment, text in
            switch segment {
            case .literal(let literal): literal == text
            case .int: Int(text) != nil
            case .string: !text.isEmpty
            }
        }
    }
}

extension RouteMap.Match {
    fileprivate var rule: String? {
        if case .matched(_, _, _, let rule) = self { rule } else { nil }
    }

    fileprivate var args: [String: RouteValue]? {
        if case .matched(_, let viewArgs, _, _) = self { viewArgs } else { nil }
    }

    fileprivate var text: String {
        if case .matched(_, let viewArgs, _, let rule) = self { return "\(rule) \(viewArgs)" }
        return self.summary
    }

    /// The payload, or the code with the methods that are allowed.
    fileprivate var summary: String {
        switch self {
        case .matched(_, _, let payload, _): "\(payload)"
        case .methodNotAllowed(let methods): (["405"] + methods.map(\.rawValue)).joined(separator: " ")
        case .notFound: "404"
        }
    }
}
