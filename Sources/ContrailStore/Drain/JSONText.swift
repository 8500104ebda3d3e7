// JSON as the drain writes it into `detail` and `g_json`: small, ordered, without an encoder's reflection.

internal import ContrailRecorder

/// Writes one JSON object, member by member, in the order in which they are added.
struct JSONText {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    /// The object.
    var text: String { String(decoding: self.bytes + [UInt8(ascii: "}")], as: UTF8.self) }

    /// Whether nothing was added.
    var isEmpty: Bool { self.bytes.count == 1 }

    /// How long the object is, in bytes.
    var byteCount: Int { self.bytes.count + 1 }

    /// Adds a text, unless it is nil.
    mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        self.addName(name)
        self.append(value)
    }

    /// Adds an integer, unless it is nil.
    mutating func add(_ name: String, _ value: (some BinaryInteger)?) {
        guard let value else { return }
        self.addName(name)
        self.bytes.append(contentsOf: String(value).utf8)
    }

    /// Adds a recorded value: scalars and text as they are, the rest as an object that says what it is.
    mutating func add(_ name: String, _ value: RecordedValue) {
        self.addName(name)
        switch value {
        case .null: self.bytes.append(contentsOf: "null".utf8)
        case .bool(let value): self.bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): self.bytes.append(contentsOf: String(value).utf8)
        case .double(let value): self.append(value)
        case .text(let value): self.append(value)
        case .redacted: self.bytes.append(contentsOf: #"{"redacted":true}"#.utf8)
        case .described(let type, let size):
            var object = JSONText()
            object.add("type", type)
            object.add("size", size)
            self.bytes.append(contentsOf: object.text.utf8)
        }
    }

    private mutating func addName(_ name: String) {
        if !self.isEmpty { self.bytes.append(UInt8(ascii: ",")) }
        self.append(name)
        self.bytes.append(UInt8(ascii: ":"))
    }

    /// JSON has no infinities and no NaN: they become text.
    private mutating func append(_ value: Double) {
        if value.isFinite {
            self.bytes.append(contentsOf: String(value).utf8)
        } else {
            self.append(String(value))
        }
    }

    private mutating func append(_ text: String) {
        self.bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): self.bytes.append(contentsOf: #"\""#.utf8)
            case UInt8(ascii: "\\"): self.bytes.append(contentsOf: #"\\"#.utf8)
            case 0x00..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                self.bytes.append(contentsOf: #"\u00"#.utf8)
                self.bytes.append(digits[Int(byte >> 4)])
                self.bytes.append(digits[Int(byte & 15)])
            default: self.bytes.append(byte)
            }
        }
        self.bytes.append(UInt8(ascii: "\""))
    }
}
