// The first bytes of a body that passes by.

/// Keeps the first 64 KiB of a body, and the length and the hash of all of it. A value: whoever shares it guards it.
struct BodyCapture: Sendable {
    /// How many bytes are kept.
    static let limit = 64 * 1024

    private(set) var bytes: [UInt8] = []
    private(set) var size = 0
    /// FNV-1a of 64 bits over the whole body.
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Whether there is more than what was kept.
    var isCut: Bool { self.size > self.bytes.count }

    mutating func add(_ part: some Collection<UInt8>) {
        let count = part.count
        let room = Self.limit - self.bytes.count
        if room > 0 { self.bytes.append(contentsOf: part.prefix(room)) }
        self.size += count
        for byte in part { self.hash = (self.hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
}
