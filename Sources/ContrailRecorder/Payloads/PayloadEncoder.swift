// Encodes a value of the user's as JSON, within limits and without secrets.

private import Synchronization

/// The encoder that values of the user's write themselves into. Confined to the thread that encodes.
struct PayloadEncoder: Encoder {
    let node: PayloadNode
    let budget: PayloadBudget
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        self.node.becomeObject()
        return KeyedEncodingContainer(PayloadKeyedContainer(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        self.node.becomeArray()
        return PayloadUnkeyedContainer(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { PayloadSingleContainer(encoder: self) }

    // MARK: - Members

    /// An encoder for a member that has just been added. One that lies too deep leads nowhere.
    func inside(_ node: PayloadNode, _ key: (any CodingKey)?) -> PayloadEncoder {
        PayloadEncoder(node: node, budget: self.budget, codingPath: self.codingPath + (key.map { [$0] } ?? []))
    }

    /// Encodes a value into this node. A member that is too large is cut, and the others follow.
    func encode(nested value: some Encodable) throws {
        guard self.node.level <= PayloadBudget.mostLevels else {
            self.budget.noteCut()
            return self.node.become(#"{"cut":true}"#)
        }
        do { try value.encode(to: self) } catch is PayloadBudget.Exceeded { self.budget.noteCut() }
    }

    func encodeNil() throws {
        try self.budget.spend(4)
        self.node.become("null")
    }

    func encode(_ value: Bool) throws {
        try self.budget.spend(5)
        self.node.become(value ? "true" : "false")
    }

    func encode(_ value: String) throws { self.node.become(try self.budget.quoted(value)) }

    func encode(_ value: Double) throws { try self.encode(number: .double(value), value.description, value.isFinite) }

    func encode(_ value: Float) throws {
        try self.encode(number: .double(Double(value)), value.description, value.isFinite)
    }

    /// Integers beyond 64 bits with a sign are text: most readers of JSON would round them.
    func encode(integer value: some FixedWidthInteger) throws {
        let number = Int64(exactly: value)
        try self.encode(number: number.map { .integer($0) } ?? .null, String(value), number != nil)
    }

    private func encode(number: RecordedValue, _ text: String, _ isNumber: Bool) throws {
        if self.budget.redaction.redacted(number, underSecret: false) == .redacted {
            self.budget.noteRedaction()
            try self.budget.spend(17)
            return self.node.become(#"{"redacted":true}"#)
        }
        try self.budget.spend(text.utf8.count + 2)
        self.node.become(isNumber ? text : "\"\(text)\"")
    }
}

/// Encodes values as the trail keeps them.
package enum PayloadEncoding {
    /// Says that the code which runs is that of a value being encoded, and notes whether it sets values in turn.
    final class Mark: Sendable {
        private let state = Atomic<Bool>(false)

        var isReentered: Bool { self.state.load(ordering: .relaxed) }

        func noteReentry() { self.state.store(true, ordering: .relaxed) }
    }

    /// What is being encoded here, if anything is.
    @TaskLocal static var current: Mark?

    /// Encodes a value; fails when it is not `Encodable`. Calls the value's own code: under no lock.
    package static func encode(
        _ value: any Sendable,
        type: String,
        redaction: RedactionPolicy
    ) -> Result<EncodedPayload, PayloadLoss> {
        guard let value = value as? any Encodable else { return .failure(.threw) }
        let encoded = self.run(type, redaction) { try $0.encode(nested: value) }
        guard let text = value as? String else { return encoded }
        return encoded.map { $0.isExact ? EncodedPayload(type: type, json: $0.json, text: text) : $0 }
    }

    /// Encodes a value that says itself what the trail keeps, and takes the time.
    static func encode(
        _ value: any TrailEncodable,
        type: String,
        redaction: RedactionPolicy
    ) -> Result<EncodedPayload, PayloadLoss> {
        let start = MonotonicClock.nanoseconds
        return self.run(type, redaction) { try value.encodeForTrail(to: $0) }.map { payload in
            EncodedPayload(
                type: payload.type,
                json: payload.json,
                isCut: payload.isCut,
                isRedacted: payload.isRedacted,
                nanoseconds: MonotonicClock.nanoseconds &- start
            )
        }
    }

    private static func run(
        _ type: String,
        _ redaction: RedactionPolicy,
        _ body: (PayloadEncoder) throws -> Void
    ) -> Result<EncodedPayload, PayloadLoss> {
        let budget = PayloadBudget(redaction)
        let root = PayloadNode(level: 0)
        let mark = Mark()
        do {
            try self.$current.withValue(mark) {
                try body(PayloadEncoder(node: root, budget: budget, codingPath: []))
            }
        } catch is PayloadBudget.Exceeded {
            budget.noteCut()
        } catch {
            return .failure(mark.isReentered ? .reentered : .threw)
        }
        if mark.isReentered { return .failure(.reentered) }
        var json = ""
        root.write(to: &json)
        return .success(
            EncodedPayload(type: type, json: json, isCut: budget.isCut, isRedacted: budget.isRedacted)
        )
    }
}
