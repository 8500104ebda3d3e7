// The containers that values write their members into.

/// Members by name. Values under a secret name are not asked for.
struct PayloadKeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: PayloadEncoder
    var codingPath: [any CodingKey] { self.encoder.codingPath }

    /// The encoder of a new member; nil when its name is secret.
    private func member(_ key: some CodingKey) throws -> PayloadEncoder? {
        let budget = self.encoder.budget
        guard self.encoder.node.count < PayloadBudget.mostMembers else { throw PayloadBudget.Exceeded() }
        let node = self.encoder.node.member(try budget.name(key.stringValue))
        guard budget.redaction.isSecret(key.stringValue) else { return self.encoder.inside(node, key) }
        budget.noteRedaction()
        node.become(#"{"redacted":true}"#)
        try budget.spend(17)
        return nil
    }

    /// The encoder of a new container. Where there is no room for one, or its name is secret, it leads nowhere.
    private func container(_ key: some CodingKey) -> PayloadEncoder {
        let node = try? self.member(key)
        if let node, node.node.level <= PayloadBudget.mostLevels { return node }
        if node != nil { self.encoder.budget.noteCut() }
        return self.encoder.inside(PayloadNode(level: 0), key)
    }

    func encodeNil(forKey key: Key) throws { try self.member(key)?.encodeNil() }

    func encode(_ value: some Encodable, forKey key: Key) throws { try self.member(key)?.encode(nested: value) }

    func encode(_ value: Bool, forKey key: Key) throws { try self.member(key)?.encode(value) }
    func encode(_ value: String, forKey key: Key) throws { try self.member(key)?.encode(value) }
    func encode(_ value: Double, forKey key: Key) throws { try self.member(key)?.encode(value) }
    func encode(_ value: Float, forKey key: Key) throws { try self.member(key)?.encode(value) }
    func encode(_ value: Int, forKey key: Key) throws { try self.member(key)?.encode(integer: value) }
    func encode(_ value: Int8, forKey key: Key) throws { try self.member(key)?.encode(integer: value) }
    func encode(_ value: Int16, forKey key: Key) throws { try self.member(key)?.encode(integer: value) }
    func encode(_ value: Int32, forKey key: Key) throws { try self.member(key)?.encode(integer: value) }
    func encode(_ value: Int64, forKey key: Key) throws { try self.member(key)?.encode(integer: value) }
    func encode(_ value: UInt, forKey key: Key) throws { try self.member(key)?.encode(integer: value) }
    func encode(_ value: UInt8, forKey key: Key) throws { try self.member(key)?.encode(integer: value) }
    func encode(_ value: UInt16, forKey key: Key) throws { try self.member(key)?.encode(integer: value) }
    func encode(_ value: UInt32, forKey key: Key) throws { try self.member(key)?.encode(integer: value) }
    func encode(_ value: UInt64, forKey key: Key) throws { try self.member(key)?.encode(integer: value) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        self.container(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        self.container(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { self.container(PayloadSuperKey()) }

    func superEncoder(forKey key: Key) -> any Encoder { self.container(key) }
}

/// Under what a type writes the part of its superclass, unless it says otherwise.
private struct PayloadSuperKey: CodingKey {
    var stringValue: String { "super" }
    var intValue: Int? { nil }

    init() {}

    init?(stringValue: String) { nil }

    init?(intValue: Int) { nil }
}

/// Elements in their order.
struct PayloadUnkeyedContainer: UnkeyedEncodingContainer {
    let encoder: PayloadEncoder
    var codingPath: [any CodingKey] { self.encoder.codingPath }
    var count: Int { self.encoder.node.count }

    private func element() throws -> PayloadEncoder {
        guard self.count < PayloadBudget.mostMembers else { throw PayloadBudget.Exceeded() }
        try self.encoder.budget.spend(1)
        return self.encoder.inside(self.encoder.node.element(), nil)
    }

    private func container() -> PayloadEncoder {
        let node = try? self.element()
        if let node, node.node.level <= PayloadBudget.mostLevels { return node }
        self.encoder.budget.noteCut()
        return self.encoder.inside(PayloadNode(level: 0), nil)
    }

    func encodeNil() throws { try self.element().encodeNil() }

    func encode(_ value: some Encodable) throws { try self.element().encode(nested: value) }

    func encode(_ value: Bool) throws { try self.element().encode(value) }
    func encode(_ value: String) throws { try self.element().encode(value) }
    func encode(_ value: Double) throws { try self.element().encode(value) }
    func encode(_ value: Float) throws { try self.element().encode(value) }
    func encode(_ value: Int) throws { try self.element().encode(integer: value) }
    func encode(_ value: Int8) throws { try self.element().encode(integer: value) }
    func encode(_ value: Int16) throws { try self.element().encode(integer: value) }
    func encode(_ value: Int32) throws { try self.element().encode(integer: value) }
    func encode(_ value: Int64) throws { try self.element().encode(integer: value) }
    func encode(_ value: UInt) throws { try self.element().encode(integer: value) }
    func encode(_ value: UInt8) throws { try self.element().encode(integer: value) }
    func encode(_ value: UInt16) throws { try self.element().encode(integer: value) }
    func encode(_ value: UInt32) throws { try self.element().encode(integer: value) }
    func encode(_ value: UInt64) throws { try self.element().encode(integer: value) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        self.container().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self.container().unkeyedContainer() }

    func superEncoder() -> any Encoder { self.container() }
}

/// One value.
struct PayloadSingleContainer: SingleValueEncodingContainer {
    let encoder: PayloadEncoder
    var codingPath: [any CodingKey] { self.encoder.codingPath }

    func encodeNil() throws { try self.encoder.encodeNil() }

    func encode(_ value: some Encodable) throws { try self.encoder.encode(nested: value) }

    func encode(_ value: Bool) throws { try self.encoder.encode(value) }
    func encode(_ value: String) throws { try self.encoder.encode(value) }
    func encode(_ value: Double) throws { try self.encoder.encode(value) }
    func encode(_ value: Float) throws { try self.encoder.encode(value) }
    func encode(_ value: Int) throws { try self.encoder.encode(integer: value) }
    func encode(_ value: Int8) throws { try self.encoder.encode(integer: value) }
    func encode(_ value: Int16) throws { try self.encoder.encode(integer: value) }
    func encode(_ value: Int32) throws { try self.encoder.encode(integer: value) }
    func encode(_ value: Int64) throws { try self.encoder.encode(integer: value) }
    func encode(_ value: UInt) throws { try self.encoder.encode(integer: value) }
    func encode(_ value: UInt8) throws { try self.encoder.encode(integer: value) }
    func encode(_ value: UInt16) throws { try self.encoder.encode(integer: value) }
    func encode(_ value: UInt32) throws { try self.encoder.encode(integer: value) }
    func encode(_ value: UInt64) throws { try self.encoder.encode(integer: value) }
}
