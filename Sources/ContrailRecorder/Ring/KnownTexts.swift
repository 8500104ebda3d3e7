// From texts to entries of the dictionary, without reading the text.

private import Synchronization

/// Finds the entry of a text that was looked up before by the two words that its `String` is made of: a short one's bytes, or
/// where a long one lies. Finding takes no lock. A text of the same content that lies elsewhere is not found, which costs a look
/// into the dictionary.
///
/// A place that is taken keeps its text: for as long as the table lives, nothing else can lie there and nobody can change it.
///
/// @unchecked Sendable: its one field is the constant address of atomics. What these show is immutable, and held until `deinit`.
final class KnownTexts: @unchecked Sendable {
    /// What a place shows.
    private final class Known: Sendable {
        let text: String
        let words: TextWords
        let entry: RingEntry

        init(_ text: String, _ words: TextWords, _ entry: RingEntry) {
            self.text = text
            self.words = words
            self.entry = entry
        }
    }

    private static let count = 256
    /// How many places a text may be in.
    private static let reach = 4

    /// Counted references, or 0: each is written once, and given back in `deinit`.
    private let places: UnsafeMutablePointer<Atomic<UInt>>

    init() {
        self.places = .allocate(capacity: Self.count)
        for index in 0..<Self.count { (self.places + index).initialize(to: Atomic(0)) }
    }

    deinit {
        for index in 0..<Self.count {
            Self.known(at: self.places[index].load(ordering: .acquiring))?.release()
        }
        self.places.deinitialize(count: Self.count)
        self.places.deallocate()
    }

    @inline(__always)
    private static func known(at address: UInt) -> Unmanaged<Known>? {
        UnsafeRawPointer(bitPattern: address).map { Unmanaged.fromOpaque($0) }
    }

    /// The entry of a text that ``note(_:of:)`` was told of. Any thread.
    @inline(__always)
    func entry(of text: String) -> RingEntry? {
        guard let words = TextWords(text) else { return nil }
        let first = words.hash
        for step in 0..<Self.reach {
            let address = self.places[(first &+ step) & (Self.count - 1)].load(ordering: .acquiring)
            guard let known = Self.known(at: address) else { return nil }
            // The table holds what its places show.
            let entry = known._withUnsafeGuaranteedRef { $0.words == words ? $0.entry : nil }
            if let entry { return entry }
        }
        return nil
    }

    /// Keeps an entry, if a place is free for it. Any thread.
    @inline(never)
    func note(_ entry: RingEntry, of text: String) {
        guard let words = TextWords(text) else { return }
        // Looked for first: a text that finds no place is looked up at every event, and must not cost an object each time.
        let free = (0..<Self.reach).lazy.map { (words.hash &+ $0) & (Self.count - 1) }
            .first { self.places[$0].load(ordering: .relaxed) == 0 }
        guard let free else { return }
        let counted = Unmanaged.passRetained(Known(text, words, entry))
        let (isTaken, _) = self.places[free].compareExchange(
            expected: 0,
            desired: UInt(bitPattern: counted.toOpaque()),
            ordering: .acquiringAndReleasing
        )
        // Another thread was faster: the next look-up of the text tries again.
        if !isTaken { counted.release() }
    }
}

/// The two words of a `String`. While two strings exist, equal words say that they are the same text; unequal ones say nothing.
private struct TextWords: Equatable, Sendable {
    private let first: UInt64
    private let second: UInt64

    @inline(__always)
    init?(_ text: String) {
        guard MemoryLayout<String>.size == MemoryLayout<TextWords>.size else { return nil }
        // Two words are read as two numbers; nothing is counted, and nothing that they may point to is looked at.
        self = unsafeBitCast(text, to: TextWords.self)
    }

    @inline(__always)
    var hash: Int {
        let mixed = (self.first ^ self.second &* 0x9E37_79B9_7F4A_7C15) &* 0xC2B2_AE3D_27D4_EB4F
        return Int(truncatingIfNeeded: mixed >> 40)
    }
}
