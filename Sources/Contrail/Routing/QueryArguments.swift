// The query of a path, taken apart.

/// The arguments of a request's query, in order; a name may occur several times.
///
/// A `+` is a blank, and percent signs are decoded; what cannot be decoded stays as text. A name without `=` has the value
/// `""`. Only the first ``maximumCount`` arguments are read. Take the value once where you read it more than once: making
/// it parses the query.
public struct QueryArguments: Sendable, Hashable {
    /// How many arguments of a query are read; further ones are left out.
    public static let maximumCount = 1000

    private struct Argument: Sendable, Hashable {
        let name: String
        let value: String
    }

    private let arguments: [Argument]

    /// Reads the query of a path, such as `/orders?page=2`; a path without one has no arguments.
    public init(path: String?) {
        let path = (path ?? "").utf8.prefix { $0 != UInt8(ascii: "#") }
        guard let mark = path.firstIndex(of: UInt8(ascii: "?")) else {
            self.init(query: "")
            return
        }
        self.init(query: Substring(path[path.index(after: mark)...]))
    }

    /// Reads a query, such as `page=2&tag=new`.
    public init(query: Substring) {
        var arguments: [Argument] = []
        // Bytes, not characters: a combining mark after a separator must not hide it.
        var rest = query.utf8
        while !rest.isEmpty, arguments.count < Self.maximumCount {
            let field = rest.prefix { $0 != UInt8(ascii: "&") }
            rest = rest[field.endIndex...].dropFirst()
            guard !field.isEmpty else { continue }
            let name = field.prefix { $0 != UInt8(ascii: "=") }
            arguments.append(
                Argument(
                    name: PercentDecoding.decode(Substring(name), plusIsBlank: true),
                    value: PercentDecoding.decode(Substring(field[name.endIndex...].dropFirst()), plusIsBlank: true)
                )
            )
        }
        self.arguments = arguments
    }

    /// The first value of a name; `nil` when the name is absent.
    public subscript(name: String) -> String? {
        self.arguments.first { $0.name == name }?.value
    }

    /// All values of a name, in order.
    public func all(_ name: String) -> [String] {
        self.arguments.filter { $0.name == name }.map(\.value)
    }

    /// Whether the name occurs.
    public func contains(_ name: String) -> Bool {
        self.arguments.contains { $0.name == name }
    }

    /// The names, each once, in order of their first occurrence.
    public var names: [String] {
        var seen: Set<String> = []
        return self.arguments.map(\.name).filter { seen.insert($0).inserted }
    }

    /// How many arguments there are, repeated names included.
    public var count: Int { self.arguments.count }

    /// Whether there is no argument.
    public var isEmpty: Bool { self.arguments.isEmpty }
}
