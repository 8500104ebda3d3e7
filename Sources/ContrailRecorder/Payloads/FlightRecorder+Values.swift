// What is recorded of a value at the levels that keep values.

extension FlightRecorder {
    /// Records a value: exact when it is small, with a ticket when the drain is to encode it, described otherwise. An object that
    /// says itself what the trail keeps is asked here, so call it under no lock.
    package func keptValue(_ value: (any Sendable)?) -> RecordedValue {
        let plain = RecordedValue(value)
        guard case .described(let type, let size) = plain, let value, let inner = Self.unwrapped(value) else {
            return plain
        }
        if let mark = PayloadEncoding.current {
            // A value that sets values while it is encoded would go on for ever.
            mark.noteReentry()
            return plain
        }
        if let value = inner as? any TrailEncodable {
            let payload =
                switch PayloadEncoding.encode(value, type: type, redaction: self.redaction) {
                case .success(let encoded): Payload.encoded(encoded)
                case .failure(let loss): Payload.lost(loss)
                }
            return .waiting(type: type, size: size, ticket: self.payloads.keep(payload))
        }
        // Whether it is an object is asked of its type: anything can be cast to one.
        if Swift.type(of: inner) is AnyClass {
            return .object(type: type, identity: UInt64(UInt(bitPattern: ObjectIdentifier(inner as AnyObject))))
        }
        guard inner is any Encodable else { return plain }
        return .waiting(type: type, size: size, ticket: self.payloads.keep(.value(value, type: type)))
    }

    private static func unwrapped(_ value: Any) -> Any? {
        guard let optional = value as? any WrappingValue else { return value }
        return optional.wrappedValue.flatMap { Self.unwrapped($0) }
    }
}

/// An optional that was stored as a value.
private protocol WrappingValue {
    var wrappedValue: Any? { get }
}

extension Optional: WrappingValue {
    fileprivate var wrappedValue: Any? { self.map { $0 } }
}
