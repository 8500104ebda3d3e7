// The checksum of a record: fast, and begun with a number that no text can know.

/// Sums the words of a record. It finds what a killed writer left half-written; it is no proof against forgery.
package struct RingChecksum {
    private static let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let otherFactor: UInt64 = 0xC2B2_AE3D_27D4_EB4F

    // Two sums side by side: a processor works on both at once.
    private var even: UInt64
    private var odd: UInt64

    @inline(__always)
    package init(salt: UInt64, position: UInt64) {
        self.even = salt
        self.odd = position &+ Self.otherFactor
    }

    @inline(__always)
    package mutating func add(_ first: UInt64, _ second: UInt64) {
        self.even = (self.even ^ first) &* Self.factor
        self.odd = (self.odd ^ second) &* Self.otherFactor
        self.even ^= self.even >> 32
        self.odd ^= self.odd >> 29
    }

    @inline(__always)
    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset + 16 <= bytes.count {
            self.add(
                bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
            )
            offset += 16
        }
        guard offset < bytes.count else { return }
        var rest: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &rest) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset...])) }
        self.add(rest.0, rest.1)
    }

    @inline(__always)
    package var value: UInt32 {
        let sum = (self.even ^ (self.odd &* Self.factor)) &* Self.otherFactor
        return UInt32(truncatingIfNeeded: sum >> 32)
    }
}
