// How a value of `g` lies in a record: a tag, a number, and for some a text.

extension RecordedValue {
    private enum Tag {
        static let null: UInt8 = 0
        static let bool: UInt8 = 1
        static let integer: UInt8 = 2
        static let double: UInt8 = 3
        static let text: UInt8 = 4
        static let described: UInt8 = 5
        static let sized: UInt8 = 6
        static let redacted: UInt8 = 7
        static let object: UInt8 = 8
        static let waiting: UInt8 = 9
    }

    /// Which case it is.
    @inline(__always)
    var tag: UInt8 {
        switch self {
        case .null: Tag.null
        case .bool: Tag.bool
        case .integer: Tag.integer
        case .double: Tag.double
        case .text: Tag.text
        case .described(_, let size): size == nil ? Tag.described : Tag.sized
        case .redacted: Tag.redacted
        case .object: Tag.object
        case .waiting: Tag.waiting
        // The drain encodes; what it has encoded does not go back into a ring.
        case .encoded: Tag.described
        }
    }

    /// The bits of the number that it has; 0 when it has none.
    @inline(__always)
    var number: UInt64 {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .integer(let value): UInt64(bitPattern: value)
        case .double(let value): value.bitPattern
        case .described(_, let size): UInt64(bitPattern: Int64(size ?? 0))
        case .object(_, let identity): identity
        case .waiting(_, let size, let ticket): UInt64(ticket) | UInt64(UInt32(clamping: (size ?? -1) + 1)) << 32
        case .null, .text, .redacted, .encoded: 0
        }
    }

    /// The text that it has.
    @inline(__always)
    var text: String? {
        switch self {
        case .text(let text), .described(let text, _), .object(let text, _), .waiting(let text, _, _): text
        case .encoded(let payload): payload.type
        case .null, .bool, .integer, .double, .redacted: nil
        }
    }

    /// Puts a value together again; nil when the parts are none of a value.
    init?(tag: UInt8, number: UInt64, text: () -> String?) {
        switch tag {
        case Tag.null: self = .null
        case Tag.bool: self = .bool(number != 0)
        case Tag.integer: self = .integer(Int64(bitPattern: number))
        case Tag.double: self = .double(Double(bitPattern: number))
        case Tag.redacted: self = .redacted
        case Tag.text, Tag.described, Tag.sized, Tag.object, Tag.waiting:
            guard let text = text() else { return nil }
            self =
                switch tag {
                case Tag.text: .text(text)
                case Tag.object: .object(type: text, identity: number)
                case Tag.waiting:
                    .waiting(type: text, size: Self.size(number), ticket: UInt32(truncatingIfNeeded: number))
                default: .described(type: text, size: tag == Tag.sized ? Int(Int64(bitPattern: number)) : nil)
                }
        default: return nil
        }
    }

    /// The size in the upper half of the number; 0 is none there.
    private static func size(_ number: UInt64) -> Int? { number >> 32 == 0 ? nil : Int(number >> 32) - 1 }
}
