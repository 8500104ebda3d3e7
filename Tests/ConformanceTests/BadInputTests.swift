// What is not a vector is reported in one line, and never stops the others.

import Foundation
import Testing

@Suite("Bad input of the runner")
struct BadInputTests {
    private static let good = #"{"id":"good","program":{"apps":{},"ops":[{"op":"has_app_context"}]}}"#
    private static let goodLine = #"{"id":"good","trace":["has_app_context -> false","end app=none request=none"]}"#

    @Test("Without a file it says how it is called")
    func usage() async throws {
        let result = try await Runner.run([])
        #expect(result.status == 2)
        #expect(result.output == "")
        #expect(result.errorLines == ["conformance: usage: conformance FILE..."])
    }

    @Test("A file that is not there is one line on standard error, and the others are run")
    func missingFile() async throws {
        let vectors = Runner.tests.appendingPathComponent("Vectors/recyclable.jsonl").path
        let result = try await Runner.run(["/nowhere/at\nall.jsonl", vectors])
        #expect(result.status == 1)
        #expect(result.lines.count == 51)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("/nowhere/at all.jsonl"))
    }

    @Test("A directory is not a file")
    func directory() async throws {
        let result = try await Runner.run([Runner.tests.path])
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(result.errorLines.count == 1)
    }

    @Test("An empty file has no vectors", arguments: ["", "\n", " \n\t\r\n\n"])
    func empty(text: String) async throws {
        let result = try await Runner.run(text: text)
        #expect(result.status == 0)
        #expect(result.output == "")
        #expect(result.errors == "")
    }

    @Test("Blank lines, carriage returns and a missing last line end change nothing")
    func blankLines() async throws {
        let result = try await Runner.run(text: "\n\(Self.good)\r\n \n\n\(Self.good)")
        #expect(result.status == 0)
        #expect(result.lines == [Self.goodLine, Self.goodLine])
        #expect(result.errors == "")
    }

    @Test(
        "A malformed line is reported with its number, and the others are run",
        arguments: [
            "{", "null", "[]", "17", #""text""#, "{}", #"{"id":"x"}"#, #"{"id":1,"program":{"apps":{},"ops":[]}}"#,
            #"{"id":"x","program":{"apps":{}}}"#, #"{"id":"x","program":{"apps":{},"ops":{}}}"#,
            #"{"id":"x","program":{"apps":[],"ops":[]}}"#, #"{"id":"x","program":{"apps":{"a":1},"ops":[]}}"#,
            #"{"id":"x","program":{"apps":{},"ops":[]}} trailing"#,
        ]
    )
    func malformedLine(line: String) async throws {
        let result = try await Runner.run(text: "\(Self.good)\n\(line)\n\(Self.good)\n")
        #expect(result.status == 1)
        #expect(result.lines == [Self.goodLine, Self.goodLine])
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("input.jsonl:2: malformed: "))
    }

    @Test(
        "An op that the language does not have, or that lacks a field, is reported before anything runs",
        arguments: [
            #"{"op":"no.such"}"#, #"{"op":"before_request","name":"b"}"#, #"{"op":7}"#, "{}", "3", "null", "[]",
            #"{"op":"g.get"}"#, #"{"op":"g.get","key":1}"#, #"{"op":"g.set","key":"x"}"#,
            #"{"op":"g.set","key":"x","value":1.5}"#, #"{"op":"g.set","key":"x","value":[1]}"#,
            #"{"op":"g.set","key":"x","value":99999999999999999999}"#, #"{"op":"abort","code":"x"}"#,
            #"{"op":"abort","code":1000}"#, #"{"op":"abort","code":-1}"#, #"{"op":"raise"}"#,
            #"{"op":"thread","context":"forked","do":[]}"#, #"{"op":"call_function","id":"f","where":"there"}"#,
            #"{"op":"register","app":"a","kind":"nothing","name":"n"}"#,
            #"{"op":"register","app":"a","kind":"error_handlers","name":"n"}"#,
            #"{"op":"try","do":{}}"#, #"{"op":"try","do":[{"op":"scope"}]}"#, #"{"op":"try","do":[{"op":"g.get"}]}"#,
        ]
    )
    func malformedOp(op: String) async throws {
        let result = try await Runner.run(
            text: #"{"id":"x","program":{"apps":{},"ops":[{"op":"has_app_context"},\#(op)]}}"#
        )
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(result.errorLines.count == 1)
    }

    @Test(
        "An app that cannot be made is reported",
        arguments: [
            #"{"session":"file"}"#, #"{"before_request":[{}]}"#, #"{"before_request":{}}"#, #"{"before_request":[1]}"#,
            #"{"receivers":[{"name":"r"}]}"#, #"{"error_handlers":[{"name":"h"}]}"#,
            #"{"error_handlers":[{"name":"h","code":"x"}]}"#, #"{"routes":[{"rule":"/"}]}"#,
            #"{"routes":[{"rule":"/","endpoint":"e","methods":["NO GOOD"]}]}"#,
            #"{"routes":[{"rule":"/","endpoint":"e","methods":[1]}]}"#,
            #"{"routes":[{"rule":"/","endpoint":"e","status":1000}]}"#,
            #"{"routes":[{"rule":"/<nothing:x>","endpoint":"e"}]}"#, #"{"routes":[{"rule":"x","endpoint":"e"}]}"#,
            #"{"after_request":[{"name":"n","do":[{"op":"unheard"}]}]}"#,
        ]
    )
    func malformedApp(app: String) async throws {
        let result = try await Runner.run(text: #"{"id":"x","program":{"apps":{"a":\#(app)},"ops":[]}}"#)
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(result.errorLines.count == 1)
    }

    @Test("Bytes that are not text are reported")
    func notText() async throws {
        let result = try await Runner.run(bytes: Data([0x7B, 0x22, 0xFF, 0xFE, 0x00, 0x0A]) + Data(Self.good.utf8))
        #expect(result.status == 1)
        #expect(result.lines == [Self.goodLine])
        #expect(result.errorLines.count == 1)
    }

    @Test("Lists nested 100 deep run")
    func deep() async throws {
        let depth = 100
        let lists = String(repeating: #"{"op":"try","do":["#, count: depth) + String(repeating: "]}", count: depth)
        let trace = try await Runner.trace(ofProgram: #"{"apps":{},"ops":[\#(lists)]}"#)
        #expect(trace == Array(repeating: "try -> ok", count: depth) + ["end app=none request=none"])
    }

    @Test("Lists nested deeper than a decoder goes are reported", arguments: [300, 100_000])
    func tooDeep(depth: Int) async throws {
        let lists = String(repeating: #"{"op":"try","do":["#, count: depth) + String(repeating: "]}", count: depth)
        let result = try await Runner.run(
            text: #"{"id":"x","program":{"apps":{},"ops":[\#(lists)]}}"# + "\n" + Self.good
        )
        #expect(result.status == 1)
        #expect(result.lines == [Self.goodLine])
        #expect(result.errorLines.count == 1)
    }

    @Test("A program that calls itself without end is reported")
    func endless() async throws {
        let dispatch = #"{"op":"dispatch","app":"a","method":"GET","path":"/"}"#
        let app = #"{"routes":[{"rule":"/","endpoint":"e","do":[\#(dispatch)]}]}"#
        let result = try await Runner.run(
            text: #"{"id":"x","program":{"apps":{"a":\#(app)},"ops":[\#(dispatch)]}}"# + "\n" + Self.good
        )
        #expect(result.status == 1)
        #expect(result.lines == [Self.goodLine])
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("deep in each other"))
    }

    @Test(
        "What a program leaves pushed, also on threads and in snapshots, writes nothing into its trace or the next one"
    )
    func leftovers() async throws {
        let app = #"{"teardown_appcontext":[{"name":"t"}],"teardown_request":[{"name":"r"}]}"#
        let push = #"{"op":"request_context","id":"q","app":"a","method":"GET","path":"/"},{"op":"push","id":"q"}"#
        let inSnapshot = #"{"op":"snapshot","id":"s"},{"op":"snapshot.run","id":"s","do":[\#(push)]}"#
        let ops = #"[{"op":"thread","context":"empty","do":[\#(push)]},\#(inSnapshot),\#(push)]"#
        let vector = #"{"id":"left","program":{"apps":{"a":\#(app)},"ops":\#(ops)}}"#
        let result = try await Runner.run(text: "\(vector)\n\(Self.good)\n\(vector)\n")
        #expect(result.status == 0)
        #expect(result.lines.count == 3)
        #expect(result.lines.dropFirst().first == Self.goodLine)
        #expect(result.lines.first == result.lines.last)
        #expect(!result.output.contains("tearing_down"))
    }
}
