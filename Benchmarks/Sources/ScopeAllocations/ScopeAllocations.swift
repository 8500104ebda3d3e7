// Prints how many heap allocations each row makes a call, and holds reads of variables to none.

import AllocationCounter
import CostRows
import Foundation

/// Counts allocations of every row. Exit status 1 when a read of a variable makes one.
@main
struct ScopeAllocations {
    static func main() {
        Meter.use { allocation_count() }
        // A counter that is not in front of the allocator would find nothing anywhere.
        let probe = Row.all.first { $0.name == "task-local bind and one allocation" }
        precondition(probe?.fastest(of: 1) == 1, "the counter does not stand in front of the allocator")
        var failures: [String] = []
        for row in Row.all {
            let allocations = row.fastest(of: 3)
            print(String(format: "%8.2f  %@", allocations, row.name))
            if row.name.contains("recyclable get") || row.name.contains("context variable get"), allocations > 0 {
                failures.append(row.name)
            }
        }
        for failure in failures { print("a read allocates: \(failure)") }
        exit(failures.isEmpty ? 0 : 1)
    }
}
