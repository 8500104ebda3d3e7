// The two words of a record that depend on its kind, field by field.

/// The words of a push. First: app, site, parent. Second: depth, origin, what follows, endpoint.
struct PushWords {
    let app: RingEntry
    let site: RingEntry
    let parent: UInt32
    let depth: Int
    let origin: TrailEvent.Push.Origin
    var endpoint = RingEntry.none
    var hasRequestID = false
    var hasTraceID = false

    @inline(__always)
    init(app: RingEntry, site: RingEntry, parent: UInt32, depth: Int, origin: TrailEvent.Push.Origin) {
        self.app = app
        self.site = site
        self.parent = parent
        self.depth = depth
        self.origin = origin
    }

    @inline(__always)
    var words: RecordWords {
        let flags = (self.hasRequestID ? 1 : 0) as UInt64 | (self.hasTraceID ? 2 : 0)
        return RecordWords(
            first: UInt64(self.app.rawValue) | UInt64(self.site.rawValue) << 16 | UInt64(self.parent) << 32,
            second: UInt64(UInt32(clamping: self.depth)) | UInt64(self.origin.code) << 32 | flags << 40
                | UInt64(self.endpoint.rawValue) << 48
        )
    }

    init?(_ words: RecordWords) {
        guard let origin = TrailEvent.Push.Origin(code: UInt8(truncatingIfNeeded: words.second >> 32)) else {
            return nil
        }
        self.app = RingEntry(rawValue: UInt16(truncatingIfNeeded: words.first))
        self.site = RingEntry(rawValue: UInt16(truncatingIfNeeded: words.first >> 16))
        self.parent = UInt32(truncatingIfNeeded: words.first >> 32)
        self.depth = Int(UInt32(truncatingIfNeeded: words.second))
        self.origin = origin
        self.endpoint = RingEntry(rawValue: UInt16(truncatingIfNeeded: words.second >> 48))
        self.hasRequestID = words.second >> 40 & 1 != 0
        self.hasTraceID = words.second >> 41 & 1 != 0
    }
}

/// The words of a pop. First: site, outcome, whether an error follows, what remains. Second: duration.
struct PopWords {
    let site: RingEntry
    let remaining: Int
    let outcome: TrailEvent.Outcome
    let hasError: Bool
    let duration: UInt64

    @inline(__always)
    init(site: RingEntry, remaining: Int, outcome: TrailEvent.Outcome, hasError: Bool, duration: UInt64) {
        self.site = site
        self.remaining = remaining
        self.outcome = outcome
        self.hasError = hasError
        self.duration = duration
    }

    @inline(__always)
    var words: RecordWords {
        RecordWords(
            first: UInt64(self.site.rawValue) | UInt64(self.outcome.code) << 16 | (self.hasError ? 1 : 0) << 24
                | UInt64(UInt32(clamping: self.remaining)) << 32,
            second: self.duration
        )
    }

    init?(_ words: RecordWords) {
        guard let outcome = TrailEvent.Outcome(code: UInt8(truncatingIfNeeded: words.first >> 16)) else { return nil }
        self.site = RingEntry(rawValue: UInt16(truncatingIfNeeded: words.first))
        self.outcome = outcome
        self.hasError = words.first >> 24 & 1 != 0
        self.remaining = Int(UInt32(truncatingIfNeeded: words.first >> 32))
        self.duration = words.second
    }
}

/// The words of everything else. First: name, site, a small number, a flag. Second: a number.
struct NamedWords {
    let name: RingEntry
    let site: RingEntry
    let small: UInt32
    let number: UInt64

    /// In ``small``: a text follows.
    static let hasText: UInt32 = 1 << 31

    @inline(__always)
    init(name: RingEntry = .none, site: RingEntry = .none, small: UInt32 = 0, number: UInt64 = 0) {
        self.name = name
        self.site = site
        self.small = small
        self.number = number
    }

    @inline(__always)
    var words: RecordWords {
        RecordWords(
            first: UInt64(self.name.rawValue) | UInt64(self.site.rawValue) << 16 | UInt64(self.small) << 32,
            second: self.number
        )
    }

    init(_ words: RecordWords) {
        self.name = RingEntry(rawValue: UInt16(truncatingIfNeeded: words.first))
        self.site = RingEntry(rawValue: UInt16(truncatingIfNeeded: words.first >> 16))
        self.small = UInt32(truncatingIfNeeded: words.first >> 32)
        self.number = words.second
    }
}

extension TrailEvent.Push.Origin {
    @inline(__always)
    fileprivate var code: UInt8 {
        switch self {
        case .http: 1
        case .copy: 2
        case .borrow: 3
        case .manual: 4
        case .test: 5
        }
    }

    fileprivate init?(code: UInt8) {
        guard let origin = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = origin
    }
}

extension TrailEvent.Outcome {
    @inline(__always)
    fileprivate var code: UInt8 {
        switch self {
        case .ok: 1
        case .handled: 2
        case .failed: 3
        case .aborted: 4
        case .leaked: 5
        }
    }

    fileprivate init?(code: UInt8) {
        guard let outcome = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = outcome
    }
}
