// Which SQL functions a query may call. Everything that is not listed is refused, whatever SQLite was built with.

/// The functions that only compute: no state, no randomness, no view of the process or its build, and no cost that
/// grows faster than their input.
///
/// Left out on purpose: `random` and `randomblob` (an answer must be repeatable), `json_patch` (quadratic),
/// `load_extension`, `fts3_tokenizer` (leaks an address), everything named `sqlite_…`, `changes`, `total_changes` and
/// `last_insert_rowid` (state of the connection), `readfile`, `writefile` and `edit` (the shell's), `soundex`,
/// `likelihood` and its kin (hints to the planner).
/// `zeroblob`, `printf` and `format` are in: the limit of 128 KiB on every value bounds them.
enum QueryFunctionList {
    static let names: Set<String> = Set(
        [
            aggregates, windows, text, numbers, mathematics, time, json, control,
        ]
        .flatMap { $0 }
    )

    private static let aggregates = ["avg", "count", "group_concat", "max", "min", "string_agg", "sum", "total"]

    private static let windows = [
        "cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "nth_value", "ntile", "percent_rank",
        "rank", "row_number",
    ]

    private static let text = [
        "char", "concat", "concat_ws", "format", "glob", "hex", "instr", "length", "like", "lower", "ltrim",
        "octet_length", "printf", "quote", "replace", "rtrim", "substr", "substring", "trim", "unhex", "unicode",
        "upper", "zeroblob",
    ]

    private static let numbers = ["abs", "round", "sign"]

    private static let mathematics = [
        "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh", "degrees", "exp",
        "floor", "ln", "log", "log10", "log2", "mod", "pi", "pow", "power", "radians", "sin", "sinh", "sqrt", "tan",
        "tanh", "trunc",
    ]

    private static let time = [
        "current_date", "current_time", "current_timestamp", "date", "datetime", "julianday", "strftime", "time",
        "timediff", "unixepoch",
    ]

    private static let json = [
        "->", "->>", "json", "json_array", "json_array_length", "json_error_position", "json_extract",
        "json_group_array", "json_group_object", "json_insert", "json_object", "json_quote", "json_remove",
        "json_replace", "json_set", "json_type", "json_valid",
    ]

    private static let control = ["coalesce", "ifnull", "iif", "nullif", "typeof"]
}
