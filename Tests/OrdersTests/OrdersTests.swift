// The example service as its users meet it: a process, sockets, a file.

import Testing

/// All tests of the service. One after another, for each of them keeps a processor busy and watches the clock.
@Suite("Orders as a process", .serialized, .timeLimit(.minutes(5)))
struct OrdersTests {}
