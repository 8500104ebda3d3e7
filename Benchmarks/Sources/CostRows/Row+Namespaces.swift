// Rows of `g`.

import Contrail

extension Row {
    static var namespaces: [Row] {
        Self.both("g set and get, audited") { Self.setAndGet(.lifecycle) }
            + Self.inTask("g set and get through Current, audited") { Self.setAndGetThroughCurrent() }
            + Self.both("g set and get, recorder off") { Self.setAndGet(.off) }
            + Self.both("g set and get, no recorder") { Self.setAndGet(.without) }
            + Self.inTask("g get") { Self.get() }
    }

    private static func setAndGet(_ audit: Audit) -> Double {
        let app = audit.app()
        let count = audit.count(slots: 1)
        defer { audit.verify(app, events: count) }
        return withAppContext(app) { context in
            Meter.each(count) {
                context.g.x = 1
                keep(context.g.x)
            }
        }
    }

    /// As Flask's proxy does it: looked up at every access.
    private static func setAndGetThroughCurrent() -> Double {
        let app = Audit.lifecycle.app()
        let count = Audit.lifecycle.count(slots: 1)
        defer { Audit.lifecycle.verify(app, events: count) }
        return withAppContext(app) { _ in
            Meter.each(count) {
                (try? Current.g)?.x = 1
                keep((try? Current.g)?.x)
            }
        }
    }

    private static func get() -> Double {
        withAppContext(Audit.without.app()) { context in
            context.g.x = 1
            return Meter.each(100_000) { keep(context.g.x) }
        }
    }
}
