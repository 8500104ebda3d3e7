// The values for a query's placeholders, and how they are matched with them.

internal import GRDBSQLite

/// The values of a query's placeholders, by position or by name.
///
/// Every placeholder needs a value and every value needs a placeholder; anything else is `queryInvalid` with a message
/// that says which one. A value above 128 KiB is `queryTooBig`.
public enum QueryParameters: Hashable, Sendable {
    /// Values in the order in which SQLite numbers placeholders: `?`, `?5`, and named ones by first appearance.
    case positional([QueryValue])
    /// Values by name, written with or without the leading `:`, `@` or `$`: `id` fills `:id`, `@id` and `$id`.
    case named([String: QueryValue])

    /// No values.
    public static let none = QueryParameters.positional([])
}

extension QueryParameters: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// Makes positional parameters.
    public init(arrayLiteral elements: QueryValue...) {
        self = .positional(elements)
    }

    /// Makes named parameters; of a name that is written twice, the last value counts.
    public init(dictionaryLiteral elements: (String, QueryValue)...) {
        self = .named(Dictionary(elements) { _, last in last })
    }
}

extension QueryParameters {
    /// Binds all values to a statement that has none yet.
    func bind(to statement: OpaquePointer) throws(StoreError) {
        switch self {
        case .positional(let list): try Self.bind(list, to: statement)
        case .named(let table): try Self.bind(table, to: statement)
        }
    }

    private static func bind(_ list: [QueryValue], to statement: OpaquePointer) throws(StoreError) {
        let count = Int(sqlite3_bind_parameter_count(statement))
        guard list.count >= count else {
            let missing = Self.label(list.count + 1, of: statement)
            throw StoreError(
                .queryInvalid,
                "parameter \(missing) has no value: the query has \(count) parameters, \(list.count) values were given"
            )
        }
        guard list.count == count else {
            throw StoreError(
                .queryInvalid,
                "value \(count + 1) has no parameter: the query has \(count), \(list.count) values were given"
            )
        }
        for (offset, value) in list.enumerated() {
            try Self.bind(value, at: offset + 1, to: statement)
        }
    }

    private static func bind(_ table: [String: QueryValue], to statement: OpaquePointer) throws(StoreError) {
        var remaining: [Substring: QueryValue] = [:]
        for (name, value) in table where remaining.updateValue(value, forKey: Self.bare(name)) != nil {
            throw StoreError(.queryInvalid, "parameter \(Self.bare(name)) was given twice, with and without its prefix")
        }
        let known = remaining
        for index in 1..<(Int(sqlite3_bind_parameter_count(statement)) + 1) {
            guard let name = sqlite3_bind_parameter_name(statement, Int32(index)) else {
                throw StoreError(
                    .queryInvalid,
                    "parameter \(index) has no name (a bare ?, or a number was left out): give the values by position"
                )
            }
            let bare = Self.bare(String(cString: name))
            guard let value = known[bare] else {
                throw StoreError(.queryInvalid, "parameter \(Self.label(index, of: statement)) has no value")
            }
            remaining[bare] = nil
            try Self.bind(value, at: index, to: statement)
        }
        guard remaining.isEmpty else {
            let names = remaining.keys.sorted().joined(separator: ", ")
            throw StoreError(.queryInvalid, "the query has no parameter named \(names)")
        }
    }

    private static func bind(_ value: QueryValue, at index: Int, to statement: OpaquePointer) throws(StoreError) {
        let position = Int32(index)
        let code: Int32
        switch value {
        case .null:
            code = sqlite3_bind_null(statement, position)
        case .integer(let integer):
            code = sqlite3_bind_int64(statement, position, integer)
        case .real(let real):
            code = sqlite3_bind_double(statement, position, real)
        case .text(var text):
            code = text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { characters in
                    // An empty buffer may have no address, and a text without an address would be bound as a null.
                    characters.baseAddress.map {
                        sqlite3_bind_text64(
                            statement,
                            position,
                            $0,
                            UInt64(bytes.count),
                            sqliteCopies,
                            UInt8(SQLITE_UTF8)
                        )
                    } ?? sqlite3_bind_text(statement, position, "", 0, sqliteCopies)
                }
            }
        case .blob(let blob):
            code = blob.withUnsafeBytes { bytes in
                bytes.isEmpty
                    ? sqlite3_bind_zeroblob(statement, position, 0)
                    : sqlite3_bind_blob64(statement, position, bytes.baseAddress, UInt64(bytes.count), sqliteCopies)
            }
        }
        guard code == SQLITE_OK else {
            throw StoreError(
                code == SQLITE_TOOBIG ? .queryTooBig : .queryInvalid,
                "parameter \(Self.label(index, of: statement)): \(String(cString: sqlite3_errstr(code)))"
            )
        }
    }

    private static func bare(_ name: String) -> Substring {
        if let first = name.first, ":@$".contains(first) { name.dropFirst() } else { name[...] }
    }

    private static func label(_ index: Int, of statement: OpaquePointer) -> String {
        sqlite3_bind_parameter_name(statement, Int32(index)).map { "\(index) (\(String(cString: $0)))" } ?? "\(index)"
    }
}

/// SQLite's own copy of a value: the destructor that means "copy before you return".
var sqliteCopies: sqlite3_destructor_type? {
    unsafeBitCast(-1, to: sqlite3_destructor_type?.self)
}
