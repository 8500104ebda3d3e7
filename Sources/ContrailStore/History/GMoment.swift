// What `g` held at one moment.

private import ContrailRecorder
internal import GRDB

/// The namespace of a context at one moment.
package struct GMoment: Sendable, Equatable {
    /// The values by key; a key that had been removed, or not been set yet, is not there.
    package let values: [String: GVersion]
    /// Numbers that were dropped, or removed by retention, between the context's push and the moment: something may have been
    /// set then.
    package let lost: [ClosedRange<Int64>]
}

/// One value of one key, from the event that set it to the one that replaced or removed it.
package struct GVersion: Sendable, Equatable {
    /// How well the trail knows the value.
    package enum Fidelity: String, Sendable {
        /// As it was.
        case exact
        /// By type and size.
        case described
        /// It was secret, or it was erased.
        case notRecorded = "not recorded"
    }

    /// The key.
    package let key: String
    /// The number of the event that set it.
    package let fromSeq: Int64
    /// The number of the event that replaced or removed it; nil while it lasts, or where nobody asked.
    package let toSeq: Int64?
    /// The value as JSON; what describes it, when it is not exact.
    package let json: String
    /// Where it was set.
    package let site: String?
    /// How well the trail knows the value.
    package let fidelity: Fidelity
}

/// What became of one key between two moments.
package struct GChange: Sendable, Equatable {
    /// The key.
    package let key: String
    /// What it held at the first moment; nil when nothing.
    package let before: GVersion?
    /// What it held at the second moment; nil when nothing.
    package let after: GVersion?
}

extension GVersion {
    /// Reads key, number, kind, code, extra and site, in this order.
    init(_ row: Row, until toSeq: Int64?) {
        let code = row.integer(3)
        let isErased = row.hasNull(atIndex: 4) && code != 2 && code != 6
        self.key = row.text(0) ?? ""
        self.fromSeq = row.integer(1) ?? 0
        self.toSeq = toSeq
        self.site = row.text(5)
        switch code {
        case _ where isErased: self.json = #"{"erased":true}"#
        case 1: self.json = Self.quoted(row.text(4) ?? "")
        case 2: self.json = "null"
        case 3: self.json = row.integer(4) == 0 ? "false" : "true"
        case 6: self.json = #"{"redacted":true}"#
        default: self.json = row.text(4) ?? row.integer(4).map { String($0) } ?? "null"
        }
        self.fidelity = isErased || code == 6 ? .notRecorded : code == 5 ? .described : .exact
    }

    private static func quoted(_ text: String) -> String {
        var json = JSONText()
        json.write(.text(text))
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
