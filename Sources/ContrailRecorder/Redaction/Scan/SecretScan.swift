// One pass over bytes that finds every secret in them, in time that grows with their number and not faster.

/// Finds the secrets in bytes, from the first to the last.
///
/// ``SecretMarks`` says where something may be; there the detectors look around. What they have looked at in vain is
/// remembered or bounded, so that no input is read more than a few times.
struct SecretScan {
    let bytes: UnsafeBufferPointer<UInt8>
    let rules: RedactionRules
    /// Whether more followed: what reaches the end may be the head of a secret then.
    let isCut: Bool

    /// Where the secrets are, in order and apart from each other.
    private(set) var secrets: [Range<Int>] = []
    /// Whether something is written with percent signs or backslashes.
    private(set) var hasEscapes = false
    /// No secret begins before: the end of the last one.
    private(set) var settled = 0

    /// Where the scan goes on: a detector that has seen to some bytes for good may move it.
    var next = 0
    /// How far base64 was decoded in search of a token's header, for each of the four ways to divide it into groups.
    var decoded = SIMD4<Int>(repeating: 0)

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ rules: RedactionRules, isCut: Bool) {
        self.bytes = bytes
        self.rules = rules
        self.isCut = isCut
    }

    /// Scans all bytes. `stopsAtFirst` ends it with the first secret.
    mutating func run(stoppingAtFirst stopsAtFirst: Bool = false) {
        while true {
            let index = self.rules.marks.first(in: self.bytes, from: self.next, isCut: self.isCut)
            guard index < self.bytes.count else { return }
            self.next = index + 1
            guard let secret = self.secret(at: index) else { continue }
            self.secrets.append(secret)
            self.settled = secret.upperBound
            self.next = max(self.next, secret.upperBound)
            if stopsAtFirst { return }
        }
    }

    private mutating func secret(at index: Int) -> Range<Int>? {
        let detectors = self.rules.detectors
        switch self.bytes[index] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return self.cardNumber(at: index)
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "+"): return self.credentials(after: index)
        case UInt8(ascii: ":"):
            if let found = self.namedValue(at: index) { return found }
            return detectors.contains(.urlPassword) ? self.urlPassword(at: index) : nil
        case UInt8(ascii: "="), UInt8(ascii: ">"): return self.namedValue(at: index)
        case UInt8(ascii: "."):
            if detectors.contains(.apiKey), let found = self.apiKey(at: index) { return found }
            return detectors.contains(.jsonWebToken) ? self.jsonWebToken(endingAt: index) : nil
        case UInt8(ascii: "-"):
            if detectors.contains(.apiKey), let found = self.apiKey(at: index) { return found }
            return detectors.contains(.privateKey) ? self.privateKey(at: index) : nil
        case UInt8(ascii: "_"), UInt8(ascii: "I"): return self.apiKey(at: index)
        case UInt8(ascii: "J"): return self.jsonWebToken(beginningBefore: index)
        case UInt8(ascii: "@"): return self.emailAddress(at: index)
        default:
            self.hasEscapes = true
            return nil
        }
    }

    /// The byte at a place; 0 outside, which is never part of anything.
    func byte(_ index: Int) -> UInt8 {
        index >= 0 && index < self.bytes.count ? self.bytes[index] : 0
    }

    /// The first place from here on whose byte is not of the kind.
    func end(of isOfKind: (UInt8) -> Bool, from start: Int) -> Int {
        guard let text = self.bytes.baseAddress else { return start }
        var index = start
        while index < self.bytes.count, isOfKind(text[index]) { index &+= 1 }
        return index
    }

    /// The first place of the bytes of the kind that end here, not before what is settled.
    func start(of isOfKind: (UInt8) -> Bool, before end: Int) -> Int {
        var index = end
        while index > self.settled, isOfKind(self.bytes[index - 1]) { index -= 1 }
        return index
    }

    /// Whether the text stands at a place, in small letters: case does not count.
    func has(_ text: StaticString, at start: Int) -> Bool {
        guard start >= 0, start + text.utf8CodeUnitCount <= self.bytes.count else { return false }
        for offset in 0..<text.utf8CodeUnitCount {
            let byte = self.bytes[start + offset]
            guard (byte.isCapital ? byte | 0x20 : byte) == text.utf8Start[offset] else { return false }
        }
        return true
    }
}
