// Where in the source something happened.

/// A place in the source: what `#fileID` and `#line` say.
public struct Site: Hashable, Sendable, CustomStringConvertible {
    /// The module and file, as `#fileID` gives them.
    public let fileID: StaticString
    /// The line, from 1.
    public let line: UInt

    /// Names a place; the defaults name the caller's.
    public init(fileID: StaticString = #fileID, line: UInt = #line) {
        self.fileID = fileID
        self.line = line
    }

    /// Compares file and line.
    public static func == (left: Site, right: Site) -> Bool {
        left.line == right.line
            && (left.fileID.utf8Start == right.fileID.utf8Start || "\(left.fileID)" == "\(right.fileID)")
    }

    /// Hashes the line: two files rarely share many.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.line)
    }

    /// `Module/File.swift:12`.
    public var description: String { "\(self.fileID):\(self.line)" }
}
