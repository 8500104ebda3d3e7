// What the trail keeps of a value, without asking the value.

import ContrailRecorder
import Testing

@Suite("Recorded values")
struct RecordedValueTests {
    @Test(
        "Integers of every width are exact when they fit 64 bits.",
        arguments: [
            Int.max, Int8.min, Int16.min, Int32.min, Int64.min, UInt8.max, UInt16.max, UInt32.max, UInt(7), UInt64(8),
            Int128(9), UInt128(10),
        ] as [any FixedWidthInteger & Sendable]
    )
    func integers(value: any FixedWidthInteger & Sendable) {
        #expect(RecordedValue(value) == .integer(Int64(value)))
    }

    @Test("Integers that do not fit are described.")
    func largeIntegers() {
        #expect(RecordedValue(UInt64.max) == .described(type: "Swift.UInt64", size: nil))
        #expect(RecordedValue(Int128.max) == .described(type: "Swift.Int128", size: nil))
    }

    @Test("A Boolean is a Boolean, and floating point is exact.")
    func scalars() {
        #expect(RecordedValue(true) == .bool(true))
        #expect(RecordedValue(1) == .integer(1))
        #expect(RecordedValue(0.1) == .double(0.1))
        #expect(RecordedValue(Float(0.5)) == .double(0.5))
    }

    @Test("Text of 40 bytes is kept, of 41 described by its size in bytes.")
    func text() {
        let exact = String(repeating: "x", count: 40)
        #expect(RecordedValue(exact) == .text(exact))
        #expect(RecordedValue(exact + "x") == .described(type: "String", size: 41))
        #expect(RecordedValue(String(repeating: "é", count: 21)) == .described(type: "String", size: 42))
        #expect(RecordedValue("") == .text(""))
    }

    @Test("Nil is null, however deep it is wrapped; a wrapped value is the value.")
    func optionals() {
        #expect(RecordedValue(nil) == .null)
        #expect(RecordedValue(Int?.none as any Sendable) == .null)
        #expect(RecordedValue(Int??.some(.none) as any Sendable) == .null)
        #expect(RecordedValue(Int?.some(5) as any Sendable) == .integer(5))
        #expect(RecordedValue(Int??.some(.some(5)) as any Sendable) == .integer(5))
        #expect(RecordedValue(String?.some("a") as any Sendable) == .text("a"))
    }

    @Test("Collections of the standard library are described with their count.")
    func collections() {
        #expect(RecordedValue([1, 2, 3]) == .described(type: "Swift.Array<Swift.Int>", size: 3))
        #expect(RecordedValue(Set([1])) == .described(type: "Swift.Set<Swift.Int>", size: 1))
        #expect(RecordedValue(["a": 1]) == .described(type: "Swift.Dictionary<Swift.String, Swift.Int>", size: 1))
    }

    @Test("A reference is described by its type.")
    func references() {
        let value = RecordedValue(Reference())
        guard case .described(let type, nil) = value else {
            Issue.record("\(value)")
            return
        }
        #expect(type.contains("Reference"))
    }

    @Test("No code of a value is called: not its description, its mirror, its count or its arithmetic.")
    func hostileValues() {
        #expect(RecordedValue(Hostile()) == .described(type: String(reflecting: Hostile.self), size: nil))
        #expect(isDescribed(RecordedValue([Hostile()]), size: 1))
        #expect(isDescribed(RecordedValue(Hostile?.some(Hostile()) as any Sendable), size: nil))
    }
}

private func isDescribed(_ value: RecordedValue, size: Int?) -> Bool {
    if case .described(_, size) = value { true } else { false }
}

private final class Reference: Sendable {}

/// Fails the test when anything is asked of it.
private struct Hostile: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable, Collection {
    var description: String { self.touched("description") }
    var debugDescription: String { self.touched("debugDescription") }
    var customMirror: Mirror { Mirror(self.touched("mirror"), children: []) }
    var startIndex: Int { self.touched(0) }
    var endIndex: Int { self.touched(1) }
    var count: Int { self.touched(1) }

    subscript(position: Int) -> Int { self.touched(position) }

    func index(after index: Int) -> Int { self.touched(index + 1) }

    private func touched<Value>(_ value: Value) -> Value {
        Issue.record("a value was asked for something")
        return value
    }
}
