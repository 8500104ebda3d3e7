// Query parameters as JSON: an array by position, or an object by name.

internal import ContrailStore

/// The parameters of a query as a client sends them. JSON's types become SQLite's: true is 1, false is 0.
enum JSONParameters: Decodable {
    case positional([Scalar])
    case named([String: Scalar])

    enum Scalar: Decodable {
        case value(QueryValue)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .value(.null)
            } else if let value = try? container.decode(Bool.self) {
                self = .value(.integer(value ? 1 : 0))
            } else if let value = try? container.decode(Int64.self) {
                self = .value(.integer(value))
            } else if let value = try? container.decode(Double.self) {
                self = .value(.real(value))
            } else {
                self = .value(.text(try container.decode(String.self)))
            }
        }

        var queryValue: QueryValue {
            switch self {
            case .value(let value): value
            }
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let list = try? container.decode([Scalar].self) {
            self = .positional(list)
        } else {
            self = .named(try container.decode([String: Scalar].self))
        }
    }

    /// The parameters as the store takes them.
    var queryParameters: QueryParameters {
        switch self {
        case .positional(let list): .positional(list.map(\.queryValue))
        case .named(let table): .named(table.mapValues(\.queryValue))
        }
    }
}
