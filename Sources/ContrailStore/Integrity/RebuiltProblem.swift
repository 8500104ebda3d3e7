// What a problem's row must say, from its event.

private import Foundation
internal import GRDB

/// A row of `problem`, from its event as it is stored.
struct RebuiltProblem {
    let kind: String
    let message: String
    var ownerSite: String?
    var age: Int64?

    let signature: String

    /// The columns that it is made from, of the events `e`.
    static let columns = """
        e.id, (SELECT name FROM event_kind WHERE id = e.kind), (SELECT value FROM string WHERE id = e.name),
        (SELECT value FROM string WHERE id = e.site), iif(e.kind = 7, e.extra, NULL), iif(e.kind = 7, NULL, e.extra)
        """

    /// Takes a row that begins with ``columns``.
    init(_ row: Row) {
        let kind = row.text(1) ?? ""
        let detail = (row.text(5)?.data(using: .utf8)).flatMap {
            try? JSONSerialization.jsonObject(with: $0) as? [String: Any]
        }
        switch kind {
        case "teardown":
            self.kind = "teardown_failed"
            self.message = ProblemRow.message(hook: row.text(2) ?? "", error: row.text(4) ?? "")
        case "drop":
            self.kind = "lost"
            self.message = ProblemRow.message(
                dropped: Self.number("count", in: detail),
                from: Self.number("first_seq", in: detail),
                to: Self.number("last_seq", in: detail)
            )
        case "torn":
            self.kind = "lost"
            self.message = ProblemRow.message(
                torn: Self.number("first_seq", in: detail),
                slots: Self.number("slots", in: detail)
            )
        default:
            self.kind = kind
            self.message = detail?["message"] as? String ?? ""
            self.ownerSite = detail?["owner_site"] as? String
            self.age = Self.read("age_ns", in: detail).map { Int64(clamping: $0) }
        }
        self.signature = ProblemRow.signature(kind: self.kind, site: row.text(3) ?? "")
    }

    private static func number(_ name: String, in detail: [String: Any]?) -> UInt64 {
        self.read(name, in: detail) ?? 0
    }

    /// A number without a sign and without a fraction, as the writer put it there; nil when there is something else.
    private static func read(_ name: String, in detail: [String: Any]?) -> UInt64? {
        (detail?[name] as? NSNumber).flatMap { UInt64($0.stringValue) }
    }
}
