// What must be known of a query's text before SQLite compiles it, because neither the authorizer nor the progress
// handler can see it in SQLite 3.40:
//
// - The names that WITH declares. The authorizer is told from which view a column is read, but as text: a WITH term
//   named like a published view passes for the view. So such terms are refused.
// - How large the query becomes inside the compiler. A WITH term is copied at every mention, and a column of a subquery
//   is replaced by its expression: five lines can ask for gigabytes, and nothing interrupts the compiler.

/// The blocks of a query: the text itself, and every parenthesis that holds a SELECT, a VALUES or a WITH.
struct QueryShape {
    /// One column of a SELECT's list.
    struct Column {
        /// The names in it, each with how often it occurs.
        var names: [String: Int] = [:]
        var others = 0
        var blocks: [Int] = []
        /// Whether it is `*` or `alias.*`, and so many columns in one.
        var isStar = false
        /// The name that it ends with: its alias if it has one.
        var lastName: String?
    }

    struct Block {
        var columns: [Column] = []
        /// The names outside the list of columns, each with how often it occurs.
        var names: [String: Int] = [:]
        var others = 0
        var blocks: [Int] = []
    }

    private(set) var blocks: [Block] = [Block()]
    /// The blocks that WITH (or WINDOW, which looks the same and does no harm here) gives a name.
    private(set) var declared: [String: [Int]] = [:]
    /// How deep the parentheses go.
    private(set) var depth = 0

    init(_ tokens: [QueryToken]) {
        var reader = Reader(tokens: tokens)
        reader.read()
        self.blocks = reader.blocks
        self.declared = reader.declared
        self.depth = reader.deepest
    }

    /// Refuses names that WITH must not declare, and queries that would grow too much when they are compiled.
    func check(reserved: Set<String>) throws(StoreError) {
        if let name = self.declared.keys.sorted().first(where: reserved.contains) {
            throw StoreError(
                .queryDenied,
                "WITH must not declare `\(name)`: that name is published by the trail; choose another name for it"
            )
        }
        guard self.depth <= 120, self.declared.count <= 64, self.blocks.count <= 512 else {
            throw StoreError(
                .queryTooBig,
                "the query is nested too deep or has more than 64 WITH terms or 512 subqueries: split it"
            )
        }
        var growth = QueryGrowth(self)
        guard growth.total() <= QueryGrowth.limit else {
            throw StoreError(
                .queryTooBig,
                "the query becomes too large when its WITH terms and subqueries are expanded: "
                    + "repeat fewer of their names, or add MATERIALIZED steps as separate queries"
            )
        }
    }
}

/// Reads the blocks out of the tokens, in one pass.
private struct Reader {
    private struct Level {
        let block: Int
        let opensBlock: Bool
    }

    // Words that SQLite never takes for a name. All others count as names, which at worst counts too much.
    private static let keywords: Set<String> = [
        "and", "as", "between", "case", "collate", "distinct", "else", "escape", "exists", "from", "group", "having",
        "in", "is", "isnull", "join", "limit", "not", "notnull", "null", "on", "or", "order", "select", "then", "union",
        "using", "when", "where",
    ]

    let tokens: [QueryToken]
    var blocks: [QueryShape.Block] = [QueryShape.Block()]
    var declared: [String: [Int]] = [:]
    var deepest = 0
    private var levels = [Level(block: 0, opensBlock: true)]
    private var inColumns = [false]

    init(tokens: [QueryToken]) {
        self.tokens = tokens
    }

    mutating func read() {
        for index in self.tokens.indices {
            let token = self.tokens[index]
            if token.isMark("(") {
                self.open(at: index)
            } else if token.isMark(")") {
                if self.levels.count > 1 { self.levels.removeLast() }
            } else {
                self.count(token, at: index)
            }
        }
    }

    private func token(at index: Int) -> QueryToken? {
        self.tokens.indices.contains(index) ? self.tokens[index] : nil
    }

    private mutating func open(at index: Int) {
        let parent = self.levels[self.levels.count - 1].block
        let first = self.token(at: index + 1)
        let opensBlock = ["select", "with", "values"].contains { first?.isWord($0) ?? false }
        guard opensBlock else {
            self.levels.append(Level(block: parent, opensBlock: false))
            self.deepest = max(self.deepest, self.levels.count)
            return
        }
        let block = self.blocks.count
        self.blocks.append(QueryShape.Block())
        self.inColumns.append(false)
        if let name = self.declaredName(before: index) {
            self.declared[name, default: []].append(block)
        } else if self.inColumns[parent] {
            self.blocks[parent].columns[self.blocks[parent].columns.count - 1].blocks.append(block)
        } else {
            self.blocks[parent].blocks.append(block)
        }
        self.levels.append(Level(block: block, opensBlock: true))
        self.deepest = max(self.deepest, self.levels.count)
    }

    // `name [(columns)] AS [[NOT] MATERIALIZED] (`, read backwards from the parenthesis.
    private func declaredName(before index: Int) -> String? {
        var position = index - 1
        if self.token(at: position)?.isWord("materialized") == true {
            position -= 1
            if self.token(at: position)?.isWord("not") == true { position -= 1 }
        }
        guard self.token(at: position)?.isWord("as") == true else { return nil }
        position -= 1
        if self.token(at: position)?.isMark(")") == true {
            while let token = self.token(at: position), !token.isMark("(") { position -= 1 }
            position -= 1
        }
        return self.token(at: position)?.name
    }

    private mutating func count(_ token: QueryToken, at index: Int) {
        let level = self.levels[self.levels.count - 1]
        if level.opensBlock, self.structure(token, of: level.block) { return }
        let next = self.token(at: index + 1)
        let isName =
            switch token.kind {
            case .word(let word): !Self.keywords.contains(word)
            case .quoted: true
            case .mark, .other: false
            }
        // `alias.column` is one reference, and `function(` is none.
        let isReference = isName && next?.isMark(".") != true && next?.isMark("(") != true
        let previous = self.token(at: index - 1)
        let startsColumn = previous.map { $0.isMark(",") || $0.isMark(".") || $0.name != nil } ?? false
        self.add(isReference ? token.name : nil, isStar: token.isMark("*") && startsColumn, to: level.block)
    }

    // Whether the token begins or ends a list of columns.
    private mutating func structure(_ token: QueryToken, of block: Int) -> Bool {
        if token.isWord("select") {
            self.inColumns[block] = true
            self.blocks[block].columns.append(QueryShape.Column())
            return true
        }
        guard self.inColumns[block] else { return false }
        if token.isMark(",") {
            self.blocks[block].columns.append(QueryShape.Column())
            return true
        }
        if ["from", "where", "group", "order", "limit", "union", "except", "intersect", "having", "window"]
            .contains(where: token.isWord)
        {
            self.inColumns[block] = false
            return true
        }
        return false
    }

    private mutating func add(_ name: String?, isStar: Bool, to block: Int) {
        if self.inColumns[block] {
            let last = self.blocks[block].columns.count - 1
            self.blocks[block].columns[last].lastName = name
            if isStar { self.blocks[block].columns[last].isStar = true }
            if let name {
                self.blocks[block].columns[last].names[name, default: 0] += 1
            } else {
                self.blocks[block].columns[last].others += 1
            }
        } else if let name {
            self.blocks[block].names[name, default: 0] += 1
        } else {
            self.blocks[block].others += 1
        }
    }
}
