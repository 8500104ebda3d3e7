// A value of the user's after it was encoded, or why there is none.

/// A value as JSON, free of secrets.
package struct EncodedPayload: Sendable, Equatable {
    /// The type of the value, as Swift names it.
    package let type: String
    /// The JSON: whole and valid, whatever was cut.
    package let json: String
    /// The value itself, when it is text and all of it is here.
    package let text: String?
    /// Whether something did not fit.
    package let isCut: Bool
    /// Whether something was secret.
    package let isRedacted: Bool
    /// How long encoding took, in nanoseconds, when it was done on the thread of whoever set the value.
    package let nanoseconds: UInt64?

    /// Describes an encoded value.
    package init(
        type: String,
        json: String,
        text: String? = nil,
        isCut: Bool = false,
        isRedacted: Bool = false,
        nanoseconds: UInt64? = nil
    ) {
        self.type = type
        self.json = json
        self.text = text
        self.isCut = isCut
        self.isRedacted = isRedacted
        self.nanoseconds = nanoseconds
    }

    /// Whether the JSON is all of the value.
    package var isExact: Bool { !self.isCut && !self.isRedacted }
}

/// Why a value was not encoded. The texts are what the trail shows.
package enum PayloadLoss: String, Error, Sendable, CaseIterable {
    /// Its encoding threw.
    case threw = "threw"
    /// Its encoding took longer than a drain waits, or one of its type still does.
    case hung = "took too long"
    /// Its encoding set values that were to be encoded in turn.
    case reentered = "re-entered the recorder"
    /// Newer values took its place before the drain came to it, or it was in the memory of a process that died.
    case gone = "no longer there"
}
