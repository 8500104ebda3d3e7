// What a session keeps, and what it notes about its use.

import Contrail
import Foundation
import Testing

@Suite("Sessions")
struct SessionTests {
    @Test("Values are stored, read with a default, and removed.")
    func values() throws {
        let session = App.Session(["a": 1])
        #expect(session["a"] == 1)
        #expect(session["b"] == nil)
        #expect(session.get("b", default: "x") == "x")
        try session.set("b", nil)
        #expect(session["b"] == .some(.null))
        #expect(session.get("b", default: "x") == .null)
        #expect(try session.remove("b") == .null)
        #expect(code { try session.remove("b") } == .missingKey)
        #expect(code { try session.pop("b") } == .missingKey)
        #expect(try session.pop("b", default: 3) == 3)
        #expect(try session.pop("a") == 1)
        #expect(session.isEmpty)
    }

    @Test("Keys keep the order of their insertion, and overwriting keeps the place.")
    func order() throws {
        let session = App.Session(["b": 1, "a": 2])
        try session.set("z", 1)
        try session.set("c", 1)
        try session.set("a", 9)
        try session.update(["y": 1, "x": 1, "z": 2])
        #expect(session.keys == ["a", "b", "z", "c", "x", "y"])
        #expect(try session.popItem() == ("y", 1))
        #expect(session.count == 5)
    }

    @Test("setDefault stores only when the key is absent.")
    func setDefault() throws {
        let session = App.Session(["a": 1])
        #expect(try session.setDefault("a", 2) == 1)
        #expect(!session.isModified)
        #expect(try session.setDefault("b") == .null)
        #expect(session.isModified)
        #expect(session.contains("b"))
    }

    @Test("SES-02: a null session reads as an empty one.")
    func nullReads() {
        let session = App.Session.null()
        #expect(session.isNull && session.isEmpty && session.count == 0 && session.keys.isEmpty)
        #expect(session["a"] == nil)
        #expect(session.get("a", default: 1) == 1)
        #expect(!session.contains("a"))
        #expect(session.isAccessed)
    }

    @Test("SES-02: every change of a null session is refused, also one that would change nothing.")
    func nullChanges() {
        let session = App.Session.null()
        #expect(code { try session.set("a", 1) } == .sessionUnavailable)
        #expect(code { try session.remove("a") } == .sessionUnavailable)
        #expect(code { try session.pop("a") } == .sessionUnavailable)
        #expect(code { try session.pop("a", default: 1) } == .sessionUnavailable)
        #expect(code { _ = try session.popItem() } == .sessionUnavailable)
        #expect(code { try session.setDefault("a") } == .sessionUnavailable)
        #expect(code { try session.update([:]) } == .sessionUnavailable)
        #expect(code { try session.clear() } == .sessionUnavailable)
        session.isPermanent = true
        #expect(session.isEmpty && !session.isModified && !session.isPermanent)
    }

    @Test("An error names the site of the call.")
    func site() throws {
        let line = #line + 1
        let error = #expect(throws: ContextError.self) { try App.Session.null().set("a", 1) }
        #expect(error?.line == line)
        #expect(error?.fileID == #fileID)
    }

    @Test("SES-05: every access is noted, be it a question.")
    func accessed() {
        let accesses: [(App.Session) throws -> Void] = [
            { _ = $0["a"] }, { _ = $0.get("a", default: 1) }, { _ = $0.contains("a") }, { _ = $0.keys },
            { _ = $0.count }, { _ = $0.isEmpty }, { try $0.set("a", 1) }, { _ = try $0.pop("a", default: 1) },
            { try $0.setDefault("a") }, { try $0.update(["a": 1]) }, { try $0.clear() }, { _ = try? $0.popItem() },
            { $0.isPermanent = false },
        ]
        for (index, access) in accesses.enumerated() {
            let session = App.Session()
            #expect(throws: Never.self) { try access(session) }
            #expect(session.isAccessed, "access \(index)")
        }
    }

    @Test("SES-05: what a store asks is no access.")
    func raw() {
        let session = App.Session(["a": 1], isNew: true, isPermanent: true, id: "7")
        #expect(session.values == ["a": 1])
        #expect(session.isNew && session.isPermanent && !session.isNull && !session.isModified && session.id == "7")
        #expect(session.saving(refreshesEachRequest: false) == SessionSaving(action: .nothing, variesByCookie: false))
        #expect(session.description == "<Session of 1 value>")
        #expect(!session.isAccessed)
    }

    @Test("SES-05: only changes of the table itself are noted.")
    func modified() throws {
        let unchanging: [(App.Session) throws -> Void] = [
            { _ = $0["a"] }, { _ = try $0.pop("b", default: 1) }, { try $0.setDefault("a", 2) },
            { _ = try? $0.remove("b") },
        ]
        for (index, access) in unchanging.enumerated() {
            let session = App.Session(["a": ["x"]])
            try access(session)
            #expect(!session.isModified, "access \(index)")
        }
        let changing: [(App.Session) throws -> Void] = [
            { try $0.set("a", ["x"]) }, { try $0.pop("a") }, { try $0.remove("a") }, { try $0.clear() },
            { try $0.update([:]) }, { try $0.setDefault("b") }, { _ = try $0.popItem() }, { $0.isPermanent = true },
        ]
        for (index, access) in changing.enumerated() {
            let session = App.Session(["a": ["x"]])
            try access(session)
            #expect(session.isModified, "access \(index)")
        }
    }

    @Test("SES-06: what saving amounts to follows from content, change, permanence and access.")
    func saving() throws {
        for bits in 0..<32 {
            let (isEmpty, isModified, isPermanent) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0)
            let (isAccessed, refreshes) = (bits & 8 != 0, bits & 16 != 0)
            guard isAccessed || !isModified else { continue }
            let session = App.Session(isEmpty != isModified ? [:] : ["a": 1], isPermanent: isPermanent)
            if isModified, isEmpty { try session.clear() }
            if isModified, !isEmpty { try session.set("a", 1) }
            if isAccessed { _ = session["a"] }
            let expected: SessionSaving.Action =
                isEmpty
                ? (isModified ? .delete : .nothing) : (isModified || isPermanent && refreshes ? .write : .nothing)
            let saving = session.saving(refreshesEachRequest: refreshes)
            #expect(saving.action == expected, "case \(bits)")
            #expect(saving.variesByCookie == (isAccessed || expected != .nothing), "case \(bits)")
        }
    }

    @Test("Many writers at once lose nothing.")
    func concurrentWriters() async {
        let session = App.Session()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask {
                    for index in 0..<50 { try? session.set("\(number).\(index)", .int(index)) }
                }
            }
        }
        #expect(session.count == 800)
    }
}

@Suite("Values of a session")
struct SessionValueTests {
    @Test("Literals make the values they look like.")
    func literals() {
        let value: SessionValue = ["n": nil, "b": true, "i": 1, "d": 1.0, "s": "x", "a": [1, "\(2)"]]
        #expect(
            value
                == .object([
                    "n": .null, "b": .bool(true), "i": .int(1), "d": .double(1), "s": .string("x"),
                    "a": .array([.int(1), .string("2")]),
                ])
        )
        #expect(value.objectValue?["i"]?.intValue == 1)
        #expect(value.objectValue?["i"]?.doubleValue == 1)
        #expect(value.objectValue?["d"]?.intValue == nil)
        #expect(value.objectValue?["b"]?.boolValue == true)
        #expect(value.objectValue?["s"]?.stringValue == "x")
        #expect(value.objectValue?["a"]?.arrayValue?.count == 2)
        #expect(value.objectValue?["n"]?.isNull == true)
    }

    @Test("A key that occurs twice in a literal does not trap: the last value counts.")
    func duplicateKeys() {
        let value: SessionValue = ["a": 1, "a": 2]
        #expect(value == .object(["a": 2]))
    }

    @Test(
        "Every value comes back from its code as it was.",
        arguments: [
            nil, true, 0, 1, -1, 1.0, -0.0, 0.1, 1e300, .double(.leastNonzeroMagnitude), "", "é\0\"\\", [], [:],
            [nil, [1, 1.0]],
            ["$double": "1.0"], ["$$double": 1], ["$": 1], ["$double": "x", "a": 1], ["$double": 1.0],
            .int(.max), .int(.min), .double(.infinity), .double(-.infinity), .double(9_007_199_254_740_992),
            ["a": ["b": ["c": nil]]],
        ] as [SessionValue]
    )
    func coding(value: SessionValue) throws {
        let data = try JSONEncoder().encode(["v": value])
        let back = try JSONDecoder().decode([String: SessionValue].self, from: data)["v"]
        #expect(back == value)
        if case .double(let number) = value { #expect(back?.doubleValue?.sign == number.sign) }
    }

    @Test("What is no number comes back as no number.")
    func notANumber() throws {
        let data = try JSONEncoder().encode([SessionValue.double(.nan)])
        let back = try JSONDecoder().decode([SessionValue].self, from: data)
        #expect(back.first?.doubleValue?.isNaN == true)
    }

    @Test("A number beyond the integers of JSON text is a double.")
    func largeNumber() throws {
        let back = try JSONDecoder().decode([SessionValue].self, from: Data("[123456789012345678901]".utf8))
        #expect(back == [.double(1.2345678901234568e20)])
    }
}
