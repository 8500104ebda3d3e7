// A call of the system that failed while the trail was written.

/// What a call of the system said, with its number.
struct SystemFailure: Error {
    /// `errno`.
    let number: CInt
    /// What happened, and what to do.
    let message: String
}

/// A failure of SQLite with what the system had told it.
struct StorageFailure: Error {
    let error: any Error
    /// `errno` of the call that failed, where SQLite knows it; else 0.
    let number: CInt
}
