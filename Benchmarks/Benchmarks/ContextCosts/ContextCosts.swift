// The rows under ordo-one's benchmark: distributions, thresholds and comparisons between commits.

import Benchmark
import CostRows

let benchmarks: @Sendable () -> Void = {
    // A batch is timed by the row itself: setting an app and a buffer up for it is not what is measured.
    let cost = BenchmarkMetric.custom("ns a call", polarity: .prefersSmaller, useScalingFactor: false)
    for row in Row.all {
        Benchmark(
            "One call: \(row.name)",
            configuration: Benchmark.Configuration(
                metrics: [cost],
                warmupIterations: 2,
                maxDuration: .milliseconds(500),
                maxIterations: 50
            )
        ) { benchmark in
            for _ in benchmark.scaledIterations {
                benchmark.measurement(cost, Int(row.fastest(of: 1).rounded()))
            }
        }
    }
}
