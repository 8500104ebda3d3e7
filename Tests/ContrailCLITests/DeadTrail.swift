// A trail that nobody writes any more, made by the library itself.

import Contrail
import ContrailStore
import Foundation
import HTTPTypes
import ProcessSupport

/// A trail in a directory of a test.
enum DeadTrail {
    static let name = "trail.sqlite"

    private struct NoStock: Error, CustomStringConvertible {
        let description = "no tea left"
    }

    /// Writes a trail with two requests in a run that ended in order: contexts 1 and 2 are those of `GET /tea`, which
    /// was well, 3 and 4 those of `POST /tea`, which failed.
    static func write(in directory: TemporaryDirectory) async throws {
        let trail = try TrailStore(path: directory.path(self.name), app: "shop")
        defer { trail.close() }
        let app = App("shop", recorder: trail.recorder)
        try app.teardownRequest("note") { _, _ in }
        await withRequestContext(app, self.request(.get, "/tea?size=large")) { context async in
            context.appContext?.g["order_id"] = 7
        }
        try? await withRequestContext(app, self.request(.post, "/tea")) { _ async throws in
            throw NoStock()
        }
        await trail.flush()
    }

    private static func request(_ method: HTTPRequest.Method, _ path: String) -> HTTPRequest {
        HTTPRequest(method: method, scheme: "http", authority: "shop", path: path)
    }
}
