// What is asked of the trail after the load, and what it must answer.

/// One question in SQL, with the rows that the clients' tally makes it have.
struct TrailQuestion: Sendable {
    let name: String
    let sql: String
    let answer: [String]

    init(_ name: String, _ sql: String, _ answer: [String]) {
        self.name = name
        self.sql = sql
        self.answer = answer
    }
}

/// The questions about one load.
struct LoadQuestions {
    let tally: LoadTally
    /// `Orders/OrderDesk.swift:LINE` of the push that is never popped.
    let leakSite: String

    var all: [TrailQuestion] {
        self.counts + self.contexts + self.hooks + self.problems + self.values + self.accounting
    }

    private var requests: Int { self.tally.requests }
    private var appContexts: Int { self.tally.requests + self.tally.leaks + self.tally.jobs }

    private var counts: [TrailQuestion] {
        let kinds = [
            "app_pop": self.appContexts, "app_push": self.appContexts, "g_delete": self.tally.names.deleted,
            "g_set": self.tally.names.set, "g_snapshot": self.tally.names.snapshots, "handoff": self.tally.jobs,
            "leak": self.tally.leaks, "mark": self.tally.count("failed") + self.tally.count("handled"),
            "recycle": self.requests + self.tally.jobs, "request_pop": self.requests, "request_push": self.requests,
            "run_start": 1, "teardown": 2 * (self.requests + self.appContexts),
        ]
        let shipped = self.tally.shipped.sorted { $0.key < $1.key }
        return [
            TrailQuestion(
                "one push and one pop per request, and nothing else than there should be",
                "SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind",
                kinds.sorted { $0.key < $1.key }.map { "\($0.key)|\($0.value)" }
            ),
            TrailQuestion(
                "every context has one push and one pop, in this order",
                """
                SELECT pushes, pops, count(*) FROM (
                    SELECT sum(kind IN ('app_push', 'request_push')) AS pushes,
                        sum(kind IN ('app_pop', 'request_pop')) AS pops
                    FROM events WHERE kind IN ('app_push', 'request_push', 'app_pop', 'request_pop') GROUP BY context_id
                    HAVING min(iif(kind IN ('app_pop', 'request_pop'), seq, NULL))
                        > max(iif(kind IN ('app_push', 'request_push'), seq, NULL))
                ) GROUP BY pushes, pops
                """,
                ["1|1|\(self.requests + self.appContexts)"]
            ),
            TrailQuestion(
                "hand-offs for the shipped orders",
                """
                SELECT c.path, e.name, count(*) FROM events AS e JOIN contexts AS c ON c.context_id = e.context_id
                WHERE e.kind = 'handoff' GROUP BY c.path, e.name ORDER BY c.path
                """,
                shipped.map { "\($0.key)|ship|\($0.value)" }
            ),
            TrailQuestion(
                "one recycle per request and per job",
                """
                SELECT iif(substr(worker, 1, 5) = 'conn:', 'conn', worker) AS host, count(*)
                FROM recycles GROUP BY host ORDER BY host
                """,
                ["conn|\(self.requests)", "job:ship/0|\(self.tally.jobs)"]
            ),
        ]
    }

    private var contexts: [TrailQuestion] {
        let endings = self.tally.endings.sorted { $0.key < $1.key }
        let apps = ["aborted", "failed", "handled", "ok"].map { "http|\($0)|\(self.tally.count($0))" }
        return [
            TrailQuestion(
                "the outcome of each route",
                """
                SELECT method, endpoint, outcome, count(*) FROM contexts WHERE kind = 'request'
                GROUP BY method, endpoint, outcome ORDER BY method, endpoint, outcome
                """,
                endings.map { "\($0.key.method)|\($0.key.endpoint)|\($0.key.outcome)|\($0.value)" }
            ),
            TrailQuestion(
                "the app contexts of requests, jobs and leaks",
                """
                SELECT origin, outcome, count(*) FROM contexts WHERE kind = 'app'
                GROUP BY origin, outcome ORDER BY origin, outcome
                """,
                apps + ["manual|leaked|\(self.tally.leaks)", "manual|ok|\(self.tally.jobs)"]
            ),
            TrailQuestion(
                "a request lies on an app context of its own, which ends as it ends",
                """
                SELECT count(*), count(DISTINCT a.context_id) FROM contexts AS r
                JOIN contexts AS a ON a.context_id = r.parent_id
                WHERE r.kind = 'request' AND a.kind = 'app' AND a.outcome = r.outcome AND a.worker = r.worker
                    AND a.epoch = r.epoch AND r.origin = 'http'
                """,
                ["\(self.requests)|\(self.requests)"]
            ),
            TrailQuestion(
                "jobs run in contexts of their own worker",
                "SELECT worker, kind, outcome, count(*) FROM contexts WHERE worker = 'job:ship/0' GROUP BY 1, 2, 3",
                ["job:ship/0|app|ok|\(self.tally.jobs)"]
            ),
            TrailQuestion(
                "no context of the postmortem service",
                "SELECT count(*) FROM contexts WHERE path IS NOT NULL AND substr(path, 1, 2) = '/_'",
                ["0"]
            ),
        ]
    }

    private var hooks: [TrailQuestion] {
        [
            TrailQuestion(
                "hooks by position",
                """
                SELECT c.kind, t.position, t.hook, t.error, count(*)
                FROM teardowns AS t JOIN contexts AS c ON c.context_id = t.context_id
                GROUP BY c.kind, t.position, t.hook, t.error ORDER BY c.kind, t.position, t.hook
                """,
                [
                    "app|1|forget_order||\(self.appContexts)", "app|2|close_connection||\(self.appContexts)",
                    "request|1|note_outcome||\(self.requests)", "request|2|withdraw_order||\(self.requests)",
                ]
            ),
            TrailQuestion(
                "hooks of one context in the order of their positions, each once",
                """
                SELECT count(*) FROM teardowns AS a JOIN teardowns AS b ON b.context_id = a.context_id
                WHERE a.position = 1 AND b.position = 2 AND a.seq < b.seq
                """,
                ["\(self.requests + self.appContexts)"]
            ),
        ]
    }

    private var problems: [TrailQuestion] {
        [
            TrailQuestion(
                "leaks, named with their push, and no other problem",
                """
                SELECT p.kind, p.site, c.push_site, c.kind, c.outcome, count(*), count(DISTINCT p.signature)
                FROM problems AS p LEFT JOIN contexts AS c ON c.context_id = p.context_id
                GROUP BY p.kind, p.site, c.push_site, c.kind, c.outcome
                """,
                ["leak|\(self.leakSite)|\(self.leakSite)|app|leaked|\(self.tally.leaks)|1"]
            ),
            TrailQuestion(
                "leaks under the requests that made them",
                """
                SELECT r.method, r.path, r.outcome, count(*) FROM contexts AS l
                JOIN contexts AS r ON r.parent_id = l.parent_id AND r.kind = 'request'
                WHERE l.outcome = 'leaked' GROUP BY r.method, r.path, r.outcome
                """,
                ["GET|/leak|ok|\(self.tally.leaks)"]
            ),
        ]
    }

    private var values: [TrailQuestion] {
        [
            TrailQuestion(
                "the g of failed requests holds the id that they wrote",
                """
                SELECT s.label, s.g_json ->> '$.order_id' AS written
                FROM g_snapshots AS s JOIN contexts AS c ON c.context_id = s.context_id
                WHERE c.kind = 'request' AND c.outcome = 'failed' ORDER BY written
                """,
                self.tally.failedIDs.sorted().map { "failure|\($0)" }
            )
        ]
    }

    private var accounting: [TrailQuestion] {
        [
            TrailQuestion(
                "every number is an event or a counted drop",
                """
                SELECT max(seq) - count(*) - coalesce(sum(iif(kind = 'drop', detail ->> '$.count', 0)), 0),
                    min(seq), count(DISTINCT seq) = count(*)
                FROM events
                """,
                ["0|1|1"]
            ),
            TrailQuestion("one run, still running", "SELECT app, end_state FROM runs", ["orders|running"]),
        ]
    }
}
