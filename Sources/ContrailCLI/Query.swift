// contrail query: one SELECT over a trail file, in the terminal.

internal import ArgumentParser
private import ContrailStore

/// Runs one SELECT in the same sandbox as the HTTP service.
struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs one SELECT over a trail.",
        discussion: "The names are runs, contexts, events, teardowns, g_snapshots, recycles and problems."
    )

    /// How the rows are written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
    }

    @OptionGroup var trail: TrailOption

    @Option(help: "How to write the rows: table, or json with one object a line.")
    var format = Format.table

    @Option(help: "How many rows at the most, up to \(QueryLimits.mostRows).")
    var limit = 1000

    @Option(help: "How many seconds the query may run, up to 10.")
    var timeout = 10

    @Argument(help: "The SELECT.")
    var sql: String

    func run() async throws {
        let limits = QueryLimits(time: .seconds(self.timeout), rows: self.limit).clamped()
        let result = try await self.trail.read { try await $0.run(self.sql, limits: limits) }
        switch self.format {
        case .table: print(TextTable(result).text)
        case .json: for row in result.rows { print(RowObject(columns: result.columns, row: row).text) }
        }
        if let reason = result.reason {
            StandardError.write("contrail: cut off by the limit of \(reason) after \(result.rows.count) rows")
        }
    }
}
