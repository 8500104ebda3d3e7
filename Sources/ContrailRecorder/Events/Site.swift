// Where in the source something happened.

/// A place in the source: what `#fileID` and `#line` say.
package struct Site: Hashable, Sendable, CustomStringConvertible {
    /// The module and file, as `#fileID` gives them.
    package let fileID: StaticString
    /// The line, from 1.
    package let line: UInt

    /// Names a place; the defaults name the caller's.
    package init(fileID: StaticString = #fileID, line: UInt = #line) {
        self.fileID = fileID
        self.line = line
    }

    /// Of a call that could not know where it came from, such as a property's.
    package static let unknown = Site(fileID: "unknown", line: 0)

    /// Compares file and line.
    package static func == (left: Site, right: Site) -> Bool {
        left.line == right.line
            && (left.fileID.utf8Start == right.fileID.utf8Start || "\(left.fileID)" == "\(right.fileID)")
    }

    /// Hashes the line: two files rarely share many.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.line)
    }

    /// `Module/File.swift:12`.
    package var description: String { "\(self.fileID):\(self.line)" }
}
