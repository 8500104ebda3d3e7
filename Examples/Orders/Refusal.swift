// A reason not to start, that is not about the command line.

/// What cannot be done and what to do instead, in one line. The exit status is 1.
struct Refusal: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
