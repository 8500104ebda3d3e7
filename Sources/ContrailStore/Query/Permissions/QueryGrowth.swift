// Estimates from above how many nodes SQLite's compiler may make of a query. See QueryShape.swift for why.

/// The estimate. All arithmetic saturates: the answer is compared with a limit, nothing else.
struct QueryGrowth {
    /// About 15 MB and 50 ms in the compiler.
    static let limit = 200_000
    // A column of a published view is an expression of a few nodes itself.
    private static let leaf = 8
    // SQLITE_LIMIT_COLUMN.
    private static let mostColumns = 100
    private static let saturated = 1 << 40

    private let shape: QueryShape
    private var widths: [Int?]
    private var totals: [Int?]

    init(_ shape: QueryShape) {
        self.shape = shape
        self.widths = Array(repeating: nil, count: shape.blocks.count)
        self.totals = Array(repeating: nil, count: shape.blocks.count)
    }

    mutating func total() -> Int {
        self.total(of: 0, aliases: [:], mayRemember: true)
    }

    // The size of the largest column of a block, with everything below it put in place.
    private mutating func width(of block: Int) -> Int {
        if let known = self.widths[block] { return known }
        // A recursive WITH term meets itself here; it is not copied into itself.
        self.widths[block] = 1
        let source = self.sourceWidth(of: block)
        var widest = 1
        for column in self.shape.blocks[block].columns {
            widest = max(widest, self.width(of: column, source: source))
        }
        self.widths[block] = widest
        return widest
    }

    private mutating func width(of column: QueryShape.Column, source: Int) -> Int {
        let names = column.names.values.reduce(column.isStar ? 1 : 0, Self.sum)
        var width = Self.sum(column.others, Self.product(names, source))
        for block in column.blocks {
            width = Self.sum(width, self.width(of: block))
        }
        return width
    }

    // What a name in the block may stand for: the largest column of any block that it reads.
    private mutating func sourceWidth(of block: Int) -> Int {
        var widest = Self.leaf
        for child in self.shape.blocks[block].blocks {
            widest = max(widest, self.width(of: child))
        }
        for name in self.shape.blocks[block].names.keys {
            for declared in self.shape.declared[name] ?? [] {
                widest = max(widest, self.width(of: declared))
            }
        }
        return widest
    }

    // All nodes of a block. An alias of an enclosing block may be used in the block and stands for its column.
    private mutating func total(of block: Int, aliases: [String: Int], mayRemember: Bool) -> Int {
        if mayRemember, let known = self.totals[block] { return known }
        self.totals[block] = 0
        let content = self.shape.blocks[block]
        let source = self.sourceWidth(of: block)
        let widestName = max(source, aliases.values.max() ?? 0)
        var visible = aliases
        var total = content.others
        for column in content.columns {
            let width = self.width(of: column, source: widestName)
            total = Self.sum(total, Self.product(width, column.isStar ? Self.mostColumns : 1))
            if let alias = column.lastName { visible[alias] = max(visible[alias] ?? 0, width) }
            for child in column.blocks {
                total = Self.sum(total, self.total(of: child, aliases: aliases, mayRemember: false))
            }
            total = Self.sum(total, self.copies(of: column.names, except: block))
        }
        for (name, count) in content.names {
            total = Self.sum(total, Self.product(count, max(source, visible[name] ?? 0)))
        }
        total = Self.sum(total, self.copies(of: content.names, except: block))
        for child in content.blocks {
            total = Self.sum(total, self.total(of: child, aliases: visible, mayRemember: false))
        }
        self.totals[block] = total
        return total
    }

    // The nodes of the WITH terms that the names mention.
    private mutating func copies(of names: [String: Int], except block: Int) -> Int {
        var total = 0
        for (name, count) in names {
            for declared in self.shape.declared[name] ?? [] where declared != block {
                let size = self.total(of: declared, aliases: [:], mayRemember: true)
                total = Self.sum(total, Self.product(count, size))
            }
        }
        return total
    }

    private static func sum(_ left: Int, _ right: Int) -> Int {
        min(left + right, Self.saturated)
    }

    private static func product(_ left: Int, _ right: Int) -> Int {
        let (value, overflows) = left.multipliedReportingOverflow(by: right)
        return overflows ? Self.saturated : min(value, Self.saturated)
    }
}
