// The command as its users meet it: a process, its output, its exit status.

import Testing

/// All tests of the command, and of what both executables do with bad input. One after another: each starts processes.
@Suite("The programs as processes", .serialized, .timeLimit(.minutes(3)))
struct ContrailCLITests {}
