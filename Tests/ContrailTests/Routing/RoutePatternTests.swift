// How rules are read, and what is said about those that cannot be.

import Contrail
import ContrailRecorder
import TestSupport
import Testing

@Suite("Rules of routes")
struct RoutePatternTests {
    @Test("A rule is taken apart into text and parameters.")
    func segments() throws {
        #expect(try RoutePattern("/").segments == [.literal("")])
        #expect(
            try RoutePattern("/u/<name>/<string:what>/<int:id>").segments
                == [.literal("u"), .string("name"), .string("what"), .int("id")]
        )
        #expect(try RoutePattern("/a/").segments == [.literal("a"), .literal("")])
    }

    @Test(
        "A rule that cannot be read is refused, and the error says what to write instead.",
        arguments: [
            ("items", RoutePattern.Flaw.noLeadingSlash(rule: "items"), "write \"/items\""),
            ("", .noLeadingSlash(rule: ""), "write \"/\""),
            ("/<int:id", .unbalancedBrackets(rule: "/<int:id", segment: "<int:id"), "<int:name>"),
            ("/id>", .unbalancedBrackets(rule: "/id>", segment: "id>"), "<int:name>"),
            ("/><", .unbalancedBrackets(rule: "/><", segment: "><"), "<int:name>"),
            ("/<<a>>", .unbalancedBrackets(rule: "/<<a>>", segment: "<<a>>"), "<int:name>"),
            ("/<a/b>", .unbalancedBrackets(rule: "/<a/b>", segment: "<a"), "<int:name>"),
            ("/v<int:id>", .partialSegment(rule: "/v<int:id>", segment: "v<int:id>"), "a segment of its own"),
            ("/<a><b>", .partialSegment(rule: "/<a><b>", segment: "<a><b>"), "a segment of its own"),
            ("/<uuid:id>", .unknownConverter(rule: "/<uuid:id>", converter: "uuid", name: "id"), "<string:id>"),
            ("/<:id>", .unknownConverter(rule: "/<:id>", converter: "", name: "id"), "<string:id>"),
            ("/<>", .emptyName(rule: "/<>", segment: "<>"), "<string:name>"),
            ("/<int:>", .emptyName(rule: "/<int:>", segment: "<int:>"), "<string:name>"),
            ("/<a>/<int:a>", .duplicateName(rule: "/<a>/<int:a>", name: "a"), "a name of its own"),
            ("/a?b=1", .unreachable(rule: "/a?b=1", character: "?"), "args"),
        ]
    )
    func flaws(rule: String, flaw: RoutePattern.Flaw, advice: String) {
        #expect(throws: flaw) { try RoutePattern(rule) }
        #expect(flaw.description.contains(advice))
        let error = ContextError(flaw, site: Site(fileID: "App/Routes.swift", line: 7))
        #expect(error.code == .invalidRule)
        #expect(error.description.hasSuffix("(App/Routes.swift:7)"))
    }

    @Test("Any text is either a rule or a typed error.")
    func anyText() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let alphabet = Array("/<>:ai?#%é\u{301}\0 ")
        for _ in 0..<5000 {
            let length = Int.random(in: 0...12, using: &random)
            let rule = String((0..<length).map { _ in alphabet.randomElement(using: &random)! })
            do {
                let pattern = try RoutePattern(rule)
                #expect(pattern.rule == rule, "seed \(seed)")
                let names = pattern.segments.compactMap(\.parameter)
                #expect(Set(names).count == names.count && !names.contains(""), "seed \(seed), rule \(rule)")
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }
}
