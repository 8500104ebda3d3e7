// JSON as the drain writes it: small, ordered, without an encoder's reflection, and into the same bytes again and again.

internal import ContrailRecorder

/// Writes one JSON value at a time. An object is begun, gets its members in the order in which they are added, and is ended.
struct JSONText {
    /// A snapshot takes no further names once it is this long, in bytes.
    static let snapshotLimit = 64 * 1024

    /// What was written last.
    private(set) var bytes: [UInt8] = []

    /// Begins an object, and forgets what was written before.
    mutating func begin() {
        self.bytes.removeAll(keepingCapacity: true)
        self.bytes.append(UInt8(ascii: "{"))
    }

    /// Ends the object.
    mutating func end() {
        self.bytes.append(UInt8(ascii: "}"))
    }

    /// Writes a value that stands for itself, and forgets what was written before.
    mutating func write(_ value: RecordedValue) {
        self.bytes.removeAll(keepingCapacity: true)
        self.append(value)
    }

    /// Writes an object of names and values. Returns whether some were left out.
    mutating func write(_ values: [(name: RecordedText, value: RecordedValue)]) -> Bool {
        self.begin()
        defer { self.end() }
        var isCut = false
        for (name, value) in values {
            guard self.bytes.count < Self.snapshotLimit else { return true }
            self.addName(name.text)
            if case .encoded(let payload) = value, self.bytes.count + payload.json.utf8.count > Self.snapshotLimit {
                self.append(.described(type: payload.type, size: nil))
                isCut = true
            } else {
                self.append(value)
            }
        }
        return isCut
    }

    /// Adds a recorded value.
    mutating func add(_ name: String, _ value: RecordedValue) {
        self.addName(name)
        self.append(value)
    }

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

    /// Adds an array of texts.
    mutating func add(_ name: String, _ values: [String]) {
        self.addName(name)
        self.bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
            self.append(value)
        }
        self.bytes.append(UInt8(ascii: "]"))
    }

    /// Appends a recorded value: scalars and text as they are, the rest as an object that says what it is.
    private mutating func append(_ value: RecordedValue) {
        switch value {
        case .null: self.bytes.append(contentsOf: "null".utf8)
        case .bool(let value): self.bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): self.bytes.append(contentsOf: String(value).utf8)
        case .double(let value): self.append(value)
        case .text(let value): self.append(value)
        case .redacted: self.bytes.append(contentsOf: #"{"redacted":true}"#.utf8)
        case .object(let type, let identity):
            self.bytes.append(UInt8(ascii: "{"))
            self.add("type", type)
            self.add("identity", "0x" + String(identity, radix: 16))
            self.bytes.append(UInt8(ascii: "}"))
        case .encoded(let payload): self.append(payload)
        case .described(let type, let size), .waiting(let type, let size, _):
            self.bytes.append(UInt8(ascii: "{"))
            self.add("type", type)
            self.add("size", size)
            self.bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Text stands for itself when it is whole. Everything else says its type, so that nothing of the user's reads like a
    /// description of ours.
    private mutating func append(_ payload: EncodedPayload) {
        if payload.text != nil { return self.bytes.append(contentsOf: payload.json.utf8) }
        self.bytes.append(UInt8(ascii: "{"))
        self.add("type", payload.type)
        self.addName("value")
        self.bytes.append(contentsOf: payload.json.utf8)
        if payload.isCut { self.addFlag("cut") }
        if payload.isRedacted { self.addFlag("redacted") }
        self.add("encode_ns", payload.nanoseconds)
        self.bytes.append(UInt8(ascii: "}"))
    }

    private mutating func addFlag(_ name: String) {
        self.addName(name)
        self.bytes.append(contentsOf: "true".utf8)
    }

    private mutating func addName(_ name: String) {
        if self.bytes.last != UInt8(ascii: "{") { self.bytes.append(UInt8(ascii: ",")) }
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

    private mutating func append(_ text: String) { JSONString.append(quoted: text, to: &self.bytes) }
}
