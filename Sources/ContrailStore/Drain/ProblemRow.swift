// A row of `problems`, from whatever kind of event it comes.

internal import ContrailRecorder

/// One problem, as the projection keeps it.
struct ProblemRow {
    let kind: String
    let other: TrailEvent.ContextOrdinal?
    let message: String
    let site: RecordedText?
    let ownerSite: RecordedText?
    let ageNanoseconds: UInt64?

    /// The problem that an event amounts to, if any.
    init?(_ body: TrailEvent.Body) {
        switch body {
        case .problem(let problem):
            self.init(
                kind: problem.kind.name,
                other: problem.other,
                message: problem.message,
                site: problem.site,
                ownerSite: problem.ownerSite,
                ageNanoseconds: problem.ageNanoseconds
            )
        case .teardown(let teardown):
            guard let error = teardown.error else { return nil }
            self.init(
                kind: "teardown_failed",
                other: nil,
                message: Self.message(hook: teardown.hook.text, error: error),
                site: teardown.site
            )
        case .drop(let drop):
            guard drop.cause != .unwritten else { return nil }
            self.init(
                kind: "lost",
                other: nil,
                message: Self.message(dropped: drop.count, from: drop.firstSeq, to: drop.lastSeq),
                site: nil
            )
        case .torn(let torn):
            self.init(
                kind: "lost",
                other: nil,
                message: Self.message(torn: torn.firstSeq, slots: torn.slots),
                site: nil
            )
        default: return nil
        }
    }

    private init(
        kind: String,
        other: TrailEvent.ContextOrdinal?,
        message: String,
        site: RecordedText?,
        ownerSite: RecordedText? = nil,
        ageNanoseconds: UInt64? = nil
    ) {
        self.kind = kind
        self.other = other
        self.message = message
        self.site = site
        self.ownerSite = ownerSite
        self.ageNanoseconds = ageNanoseconds
    }

    /// What a problem says of a hook that threw.
    static func message(hook: String, error: String) -> String { "the teardown hook \(hook) threw: \(error)" }

    /// What a problem says of events that the full ring refused.
    static func message(dropped count: some BinaryInteger, from first: some BinaryInteger, to last: some BinaryInteger)
        -> String
    {
        "the buffer was full: \(count) events lost, seq \(first) to \(last)"
    }

    /// What a problem says of a record that was never finished.
    static func message(torn seq: some BinaryInteger, slots: some BinaryInteger) -> String {
        "an event was begun and never finished: seq \(seq), \(slots) slots"
    }

    /// SQL that tells whether the event `e` is a loss: kinds `drop` and `torn`.
    static let isLoss =
        "(e.kind = 26 OR (e.kind = 25 AND ifnull(instr(e.extra, '\"cause\":\"\(TrailEvent.Drop.Cause.unwritten)\"'), 0) = 0))"

    /// SQL that tells whether the event `e` is a problem.
    static let isProblem = "(e.kind BETWEEN 12 AND 17 OR \(isLoss) OR (e.kind = 7 AND e.extra IS NOT NULL))"

    /// The same for problems of the same kind at the same site.
    var signature: String { Self.signature(kind: self.kind, site: self.site?.text ?? "") }

    /// Sixteen hexadecimal digits (FNV-1a).
    static func signature(kind: String, site: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in "\(kind)|\(site)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
