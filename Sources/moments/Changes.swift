// Random changes of g, told to a recorder and to a table in memory.

internal import ContrailRecorder
internal import TestSupport

/// What every key of every context held, from which number on.
struct Changes {
    /// A value, and the number of the event that set it.
    struct Value: Equatable {
        let seq: Int64
        let json: String
    }

    /// From one change to the next a key holds the same; nil is that it is absent.
    private struct Version {
        let seq: Int64
        let json: String?
    }

    private static let keys = (0..<12).map { "key\($0)" }

    private var random: SeededRandom
    private let contexts: UInt32
    /// By context and key, in the order of the numbers.
    private var versions: [[[Version]]]
    private var last: Int64 = 0

    init(seed: UInt64, contexts: UInt32) {
        self.random = SeededRandom(seed: seed)
        self.contexts = contexts
        self.versions = Array(repeating: Array(repeating: [], count: Self.keys.count), count: Int(contexts))
    }

    /// Changes one key of one context.
    mutating func makeOne(_ recorder: FlightRecorder) {
        let context = self.someContext()
        let key = Int(self.random.next() % UInt64(Self.keys.count))
        let head = RecordHead(context: context)
        let name = recorder.name(Self.keys[key])
        let deletes = self.random.next() % 4 == 0
        let (value, json) = self.someValue()
        let seq =
            deletes
            ? recorder.recordDelete(head, key: name, site: Site())
            : recorder.recordSet(head, key: name, value: value, site: Site())
        self.last = Int64(seq)
        self.versions[Int(context) - 1][key].append(Version(seq: self.last, json: deletes ? nil : json))
    }

    /// Any context, at any number there was or a little later.
    mutating func someMoment() -> (context: UInt32, seq: Int64) {
        (self.someContext(), Int64(self.random.next() % UInt64(self.last + 10)))
    }

    /// What `g` of a context held after the event of a number.
    func values(of context: UInt32, at seq: Int64) -> [String: Value] {
        var values: [String: Value] = [:]
        for (key, versions) in zip(Self.keys, self.versions[Int(context) - 1]) {
            // The first version that is later lies behind the one that is asked for.
            var (low, high) = (0, versions.count)
            while low < high {
                let middle = (low + high) / 2
                if versions[middle].seq <= seq { low = middle + 1 } else { high = middle }
            }
            guard low > 0, let json = versions[low - 1].json else { continue }
            values[key] = Value(seq: versions[low - 1].seq, json: json)
        }
        return values
    }

    private mutating func someContext() -> UInt32 {
        self.random.next() % 10 == 0 ? 1 : UInt32(self.random.next() % UInt64(self.contexts)) + 1
    }

    private mutating func someValue() -> (RecordedValue, String) {
        switch self.random.next() % 6 {
        case 0: return (.null, "null")
        case 1: return (.bool(true), "true")
        case 2: return (.text(#"a "b" \ ä"#), #""a \"b\" \\ ä""#)
        case 3: return (.double(0.1), "0.1")
        case 4: return (.described(type: "[Int]", size: 3), #"{"type":"[Int]","size":3}"#)
        default:
            let value = Int64(bitPattern: self.random.next())
            return (.integer(value), String(value))
        }
    }
}
