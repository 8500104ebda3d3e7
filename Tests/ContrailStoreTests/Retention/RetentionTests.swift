// What becomes of a trail that has a limit.

import Testing

/// One test at a time: each fills a trail past its cap, and two that write and sync at once would only measure each other.
@Suite("Retention", .serialized)
enum RetentionTests {}
