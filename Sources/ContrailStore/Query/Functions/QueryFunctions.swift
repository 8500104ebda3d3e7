// Replacements of SQLite functions whose own implementation can run for seconds in one call: instr, replace, trim,
// ltrim, rtrim, LIKE and GLOB. They answer the same, in linear time or with an eye on the clock. And `->>` and
// json_quote, for which JSONArrow.swift and JSONQuote.swift have the reason.
//
// The price: GLOB 'prefix*' no longer uses an index, which SQLite grants to its own GLOB only.

internal import GRDBSQLite

/// The functions' state on one connection. Confined to the connection's caller, like the connection.
final class QueryFunctions {
    private typealias Body = @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void

    private let watch: QueryWatch
    private let arrow: JSONArrow
    private var cachedPattern: (bytes: [UInt8], escape: UInt32?, isGlob: Bool, pattern: TextPattern)?

    init(watch: QueryWatch) throws(StoreError) {
        self.watch = watch
        self.arrow = try JSONArrow()
    }

    /// Registers the functions. The object must live as long as the connection.
    ///
    /// They are marked innocuous, so that views may call them although the schema is not trusted.
    func install(on database: OpaquePointer) throws(StoreError) {
        let table: [(String, [Int32], Body)] = [
            ("instr", [2], { QueryFunctions.run($0, $1, $2) { $0.instr($1) } }),
            ("replace", [3], { QueryFunctions.run($0, $1, $2) { $0.replace($1) } }),
            ("trim", [1, 2], { QueryFunctions.run($0, $1, $2) { $0.trim($1, leading: true, trailing: true) } }),
            ("ltrim", [1, 2], { QueryFunctions.run($0, $1, $2) { $0.trim($1, leading: true, trailing: false) } }),
            ("rtrim", [1, 2], { QueryFunctions.run($0, $1, $2) { $0.trim($1, leading: false, trailing: true) } }),
            ("like", [2, 3], { QueryFunctions.run($0, $1, $2) { $0.like($1) } }),
            ("glob", [2], { QueryFunctions.run($0, $1, $2) { $0.match($1, escape: nil, isGlob: true) } }),
            ("->>", [2], { QueryFunctions.run($0, $1, $2) { $0.arrow.answer($1) } }),
            ("json_quote", [1], { QueryFunctions.run($0, $1, $2) { JSONQuote.answer($1) } }),
        ]
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS | SQLITE_SUBTYPE
        let pointer = Unmanaged.passUnretained(self).toOpaque()
        for (name, arities, body) in table {
            for arity in arities {
                let code = sqlite3_create_function_v2(database, name, arity, flags, pointer, body, nil, nil, nil)
                guard code == SQLITE_OK else { throw SQLiteCall.failure(of: database, doing: "function \(name)") }
            }
        }
    }

    private static func run(
        _ context: OpaquePointer?,
        _ count: Int32,
        _ values: UnsafeMutablePointer<OpaquePointer?>?,
        _ body: (QueryFunctions, FunctionCall) -> Void
    ) {
        guard let context, let values, let pointer = sqlite3_user_data(context) else { return }
        let functions = Unmanaged<QueryFunctions>.fromOpaque(pointer).takeUnretainedValue()
        let call = FunctionCall(context: context, values: UnsafeBufferPointer(start: values, count: Int(count)))
        if functions.watch.mustStop() { return call.interrupt() }
        body(functions, call)
    }

    private func instr(_ call: FunctionCall) {
        if call.hasNull { return }
        let isBytes = call.isBlob(0) && call.isBlob(1)
        let haystack = isBytes ? call.blob(0) : call.text(0)
        let needle = isBytes ? call.blob(1) : call.text(1)
        guard !needle.isEmpty else { return call.answer(1) }
        guard needle.count <= haystack.count, let offset = TextSearch(for: needle).first(in: haystack) else {
            return call.answer(0)
        }
        let isPartOfCharacter: (UInt8) -> Bool = { $0 & 0xc0 == 0x80 }
        call.answer(isBytes ? offset + 1 : 1 + haystack[..<offset].count { !isPartOfCharacter($0) })
    }

    private func replace(_ call: FunctionCall) {
        if call.hasNull { return }
        let text = call.text(0)
        let old = call.text(1)
        let new = call.text(2)
        // SQLite takes what begins with a zero byte for empty.
        guard let first = old.first, first != 0 else { return call.answerArgument(0) }
        let search = TextSearch(for: old)
        var result: [UInt8] = []
        var position = 0
        while position < text.count, let found = search.first(in: text, from: position) {
            result.append(contentsOf: text[position..<found])
            result.append(contentsOf: new)
            position = found + old.count
            guard result.count <= call.mostBytes else { return call.fail(SQLITE_TOOBIG) }
            if self.watch.mustStop() { return call.interrupt() }
        }
        result.append(contentsOf: text[position...])
        guard result.count <= call.mostBytes else { return call.fail(SQLITE_TOOBIG) }
        result.withUnsafeBufferPointer(call.answer)
    }

    private func trim(_ call: FunctionCall, leading: Bool, trailing: Bool) {
        if call.hasNull { return }
        let text = call.text(0)
        let trim: TextTrim
        if call.count == 2 {
            let end = call.text(1).prefix { $0 != 0 }
            trim = TextTrim(UnsafeBufferPointer(rebasing: end))
        } else {
            trim = [UInt8(ascii: " ")].withUnsafeBufferPointer(TextTrim.init)
        }
        call.answer(UnsafeBufferPointer(rebasing: text[trim.range(of: text, leading: leading, trailing: trailing)]))
    }

    private func like(_ call: FunctionCall) {
        var escape: UInt32?
        if call.count == 3 {
            if call.isNull(2) { return }
            var reader = ScalarReader(call.text(2))
            escape = reader.next()
            guard escape != nil, reader.next() == nil else {
                return call.fail("ESCAPE expression must be a single character")
            }
        }
        self.match(call, escape: escape, isGlob: false)
    }

    private func match(_ call: FunctionCall, escape: UInt32?, isGlob: Bool) {
        if call.isBlob(0) || call.isBlob(1) { return call.answer(0) }
        if call.isNull(0) || call.isNull(1) { return }
        let bytes = call.text(0)
        guard bytes.count <= QueryRecipe.mostPatternBytes else { return call.fail("LIKE or GLOB pattern too complex") }
        let pattern = self.pattern(bytes, escape: escape, isGlob: isGlob)
        guard let matches = pattern.matches(call.text(1), mustStop: self.watch.mustStop) else {
            return call.interrupt()
        }
        call.answer(matches ? 1 : 0)
    }

    // A pattern is nearly always the same for all rows of a query.
    private func pattern(_ bytes: UnsafeBufferPointer<UInt8>, escape: UInt32?, isGlob: Bool) -> TextPattern {
        if let cached = self.cachedPattern, cached.isGlob == isGlob, cached.escape == escape,
            cached.bytes.elementsEqual(bytes)
        {
            return cached.pattern
        }
        let pattern = TextPattern(bytes, kind: isGlob ? .glob : .like(escape: escape))
        self.cachedPattern = (Array(bytes), escape, isGlob, pattern)
        return pattern
    }
}
