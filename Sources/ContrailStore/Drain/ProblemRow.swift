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
                message: "the teardown hook \(teardown.hook) threw: \(error)",
                site: teardown.site
            )
        case .drop(let drop):
            self.init(
                kind: "lost",
                other: nil,
                message: "the buffer was full: \(drop.count) events lost, seq \(drop.firstSeq) to \(drop.lastSeq)",
                site: nil
            )
        case .torn(let torn):
            self.init(
                kind: "lost",
                other: nil,
                message: "an event was begun and never finished: seq \(torn.firstSeq), \(torn.slots) slots",
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
