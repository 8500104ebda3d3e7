// LIKE and GLOB, with a clock: SQLite's own take 100 ms for one bad pattern, and cannot be interrupted in it.

/// A compiled pattern of LIKE or GLOB.
struct TextPattern {
    enum Kind {
        case like(escape: UInt32?)
        case glob
    }

    private enum Element {
        case scalar(UInt32)
        case any
        case many
        case set([ClosedRange<UInt32>], inverted: Bool)
        /// A set without its closing bracket, or an escape at the end.
        case never
    }

    private let elements: [Element]
    private let ignoresCase: Bool

    init(_ bytes: UnsafeBufferPointer<UInt8>, kind: Kind) {
        var reader = ScalarReader(bytes)
        var elements: [Element] = []
        switch kind {
        case .like(let escape):
            self.ignoresCase = true
            while let scalar = reader.next() {
                if scalar == escape {
                    elements.append(reader.next().map { .scalar(Self.folded($0)) } ?? .never)
                } else {
                    elements.append(Self.likeElement(scalar))
                }
            }
        case .glob:
            self.ignoresCase = false
            while let scalar = reader.next() {
                elements.append(Self.globElement(scalar, &reader))
            }
        }
        self.elements = elements
    }

    private static func likeElement(_ scalar: UInt32) -> Element {
        switch scalar {
        case 0x25: .many
        case 0x5f: .any
        default: .scalar(folded(scalar))
        }
    }

    private static func globElement(_ scalar: UInt32, _ reader: inout ScalarReader) -> Element {
        switch scalar {
        case 0x2a: .many
        case 0x3f: .any
        case 0x5b: set(&reader)
        default: .scalar(scalar)
        }
    }

    private static func set(_ reader: inout ScalarReader) -> Element {
        var ranges: [ClosedRange<UInt32>] = []
        var scalar = reader.next()
        let inverted = scalar == 0x5e
        if inverted { scalar = reader.next() }
        if scalar == 0x5d {
            ranges.append(0x5d...0x5d)
            scalar = reader.next()
        }
        var previous: UInt32 = 0
        while let current = scalar, current != 0x5d {
            if current == 0x2d, previous > 0, let next = reader.peek(), next != 0x5d {
                if previous <= next { ranges.append(previous...next) }
                _ = reader.next()
                previous = 0
            } else {
                ranges.append(current...current)
                previous = current
            }
            scalar = reader.next()
        }
        return scalar == nil ? .never : .set(ranges, inverted: inverted)
    }

    /// Whether a text matches; nil when `mustStop` said so first.
    ///
    /// It goes back to the last `%` or `*` only, which is enough: what was matched before that one stays matched.
    func matches(_ text: UnsafeBufferPointer<UInt8>, mustStop: () -> Bool) -> Bool? {
        var reader = ScalarReader(text)
        var element = 0
        var retry: (element: Int, reader: ScalarReader)?
        var steps = 0
        while true {
            steps &+= 1
            if steps % 4096 == 0, mustStop() { return nil }
            if element < self.elements.count, case .many = self.elements[element] {
                element += 1
                if element == self.elements.count { return true }
                retry = (element, reader)
                continue
            }
            let scalar = reader.next()
            if scalar == nil, element == self.elements.count { return true }
            if let scalar, element < self.elements.count, self.accepts(scalar, at: element) {
                element += 1
            } else if scalar != nil, var last = retry {
                guard last.reader.next() != nil else { return false }
                retry = last
                element = last.element
                reader = last.reader
            } else {
                return false
            }
        }
    }

    private func accepts(_ scalar: UInt32, at index: Int) -> Bool {
        switch self.elements[index] {
        case .scalar(let wanted): (self.ignoresCase ? Self.folded(scalar) : scalar) == wanted
        case .any: true
        case .set(let ranges, let inverted): ranges.contains { $0.contains(scalar) } != inverted
        case .many, .never: false
        }
    }

    private static func folded(_ scalar: UInt32) -> UInt32 {
        (0x41...0x5a).contains(scalar) ? scalar | 0x20 : scalar
    }
}

/// Reads UTF-8 one scalar at a time. A byte that does not belong counts as one scalar.
struct ScalarReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    func peek() -> UInt32? {
        var copy = self
        return copy.next()
    }

    mutating func next() -> UInt32? {
        guard self.position < self.bytes.count else { return nil }
        let first = self.bytes[self.position]
        self.position += 1
        guard first >= 0xc0 else { return UInt32(first) }
        var scalar = UInt32(first & (first < 0xe0 ? 0x1f : first < 0xf0 ? 0x0f : 0x07))
        while self.position < self.bytes.count, self.bytes[self.position] & 0xc0 == 0x80 {
            scalar = scalar << 6 | UInt32(self.bytes[self.position] & 0x3f)
            self.position += 1
        }
        return scalar
    }
}
