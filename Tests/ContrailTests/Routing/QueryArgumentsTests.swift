// How queries are read.

import Contrail
import TestSupport
import Testing

@Suite("Arguments of a query")
struct QueryArgumentsTests {
    @Test("The first value counts, all are there, and names keep their order.")
    func repeated() {
        let args = QueryArguments(path: "/a?q=1&r=2&q=3")
        #expect(args["q"] == "1")
        #expect(args.all("q") == ["1", "3"])
        #expect(args.names == ["q", "r"])
        #expect(args.count == 3)
        #expect(args["absent"] == nil)
        #expect(args.all("absent").isEmpty)
        #expect(args.contains("r") && !args.contains("absent"))
    }

    @Test("A path without a query has no arguments.", arguments: [nil, "", "/", "/a?", "/a?&&", "/a#?q=1"])
    func none(path: String?) {
        let args = QueryArguments(path: path)
        #expect(args.isEmpty)
        #expect(args.names.isEmpty)
    }

    @Test("A name without a value has an empty one, and only the first = parts them.")
    func values() {
        let args = QueryArguments(path: "/a?flag&empty=&e=a=b&=nameless#q=9")
        #expect(args["flag"] == "")
        #expect(args["empty"] == "")
        #expect(args["e"] == "a=b")
        #expect(args[""] == "nameless")
        #expect(args.count == 4)
    }

    @Test("A plus is a blank, percent signs are decoded, and what is no encoding stays text.")
    func decoding() {
        let args = QueryArguments(path: "/?a+b=c+d%2B&%C3%A9=%26%3D&x=%zz%&y=%FF%41&z=%C3(&w=a%00b")
        #expect(args["a b"] == "c d+")
        #expect(args["é"] == "&=")
        #expect(args["x"] == "%zz%")
        #expect(args["y"] == "%FFA")
        #expect(args["z"] == "%C3(")
        #expect(args["w"] == "a\0b")
    }

    @Test("Encodings of surrogates, overlong forms and cut characters stay text.")
    func invalidUTF8() {
        for text in ["%ED%A0%80", "%C0%AF", "%F4%90%80%80", "%E2%82", "%80", "%F8%88%80%80%80"] {
            #expect(QueryArguments(query: "q=\(text)"[...])["q"] == text)
        }
        #expect(QueryArguments(query: "q=%E2%82%E2%82%AC")["q"] == "%E2%82€")
    }

    @Test("A second question mark and a combining mark after a separator are text.")
    func separators() {
        #expect(QueryArguments(path: "/a?q=1?2")["q"] == "1?2")
        #expect(QueryArguments(path: "/a?q=1&\u{301}r=2").names == ["q", "\u{301}r"])
        #expect(QueryArguments(path: "/a?\u{301}=2").names == ["\u{301}"])
    }

    @Test("At most a thousand arguments are read.")
    func bounded() {
        let query = (0..<5000).map { "n\($0)=\($0)" }.joined(separator: "&")
        let args = QueryArguments(query: query[...])
        #expect(args.count == QueryArguments.maximumCount)
        #expect(args["n999"] == "999")
        #expect(args["n1000"] == nil)
    }

    @Test("Any text is read as text that was in it, or decoded from it.")
    func anyText() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let alphabet = Array("%%%0aFcC28&=+?#é\u{301}")
        for _ in 0..<5000 {
            let length = Int.random(in: 0...20, using: &random)
            let query = String((0..<length).map { _ in alphabet.randomElement(using: &random)! })
            let args = QueryArguments(query: query[...])
            let fields = query.utf8.split(separator: UInt8(ascii: "&"))
            #expect(args.count == fields.count, "seed \(seed), query \(query)")
            for name in args.names { #expect(args[name] == args.all(name).first, "seed \(seed), query \(query)") }
        }
    }
}
