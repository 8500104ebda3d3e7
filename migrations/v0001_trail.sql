-- The trail. Seven views (runs, contexts, events, teardowns, g_snapshots, recycles, problems) are the contract that
-- users write queries against; the tables behind them, all in the singular, are storage and may change in a later file.
--
-- Times are UTC microseconds since 1970; every one has a twin `<name>_iso`.
-- context_id = run_id * 2^32 + the ordinal that the recorder gave the lifetime.

-- Bounded sets (apps, endpoints, hooks, keys, signals, sites, worker kinds) are stored once.
CREATE TABLE string (
    id INTEGER PRIMARY KEY,
    value TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE event_kind (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO event_kind (id, name) VALUES
    (1, 'run_start'), (2, 'run_end'), (3, 'app_push'), (4, 'app_pop'), (5, 'request_push'), (6, 'request_pop'),
    (7, 'teardown'), (8, 'g_set'), (9, 'g_delete'), (10, 'g_snapshot'), (11, 'recycle'), (12, 'stale_read'),
    (13, 'leak'), (14, 'rejected_pop'), (15, 'foreign_pop'), (16, 'poisoned_worker'), (17, 'borrow_outlived'),
    (18, 'signal_failed'), (19, 'handoff'), (20, 'mark'), (21, 'error'), (22, 'request_input'),
    (23, 'response_output'), (24, 'drawn'), (25, 'drop'), (26, 'torn'), (27, 'clock_step'), (28, 'retention'),
    (29, 'pin'), (30, 'erase'), (31, 'payload_lost');

CREATE TABLE run (
    run_id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_uuid TEXT NOT NULL UNIQUE,
    app TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    executable TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_state TEXT NOT NULL CHECK (end_state IN ('running', 'clean', 'crashed'))
) STRICT;

-- Append-only: the triggers below refuse an update, and refuse a delete of anything but the oldest rows.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    context_id INTEGER,
    other_id INTEGER,
    worker INTEGER,
    worker_number INTEGER,
    thread INTEGER,
    epoch INTEGER,
    name INTEGER,
    site INTEGER,
    duration_ns INTEGER,
    outcome TEXT,
    detail TEXT
) STRICT;

-- Two for one column: `kind = … AND at > …` needs the first, `kind = … ORDER BY id LIMIT …` the second (11 s without it
-- over ten million events).
CREATE INDEX event_by_kind_time ON event (kind, at);
CREATE INDEX event_by_kind_order ON event (kind);
CREATE INDEX event_by_context ON event (context_id) WHERE context_id IS NOT NULL;

CREATE TABLE context (
    context_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('app', 'request')),
    origin TEXT NOT NULL CHECK (origin IN ('http', 'copy', 'borrow', 'manual', 'test')),
    app INTEGER,
    parent_id INTEGER,
    worker INTEGER,
    worker_number INTEGER,
    epoch INTEGER,
    pushed_at INTEGER NOT NULL,
    popped_at INTEGER,
    duration_ns INTEGER,
    outcome TEXT NOT NULL
        CHECK (outcome IN ('open', 'ok', 'handled', 'failed', 'aborted', 'leaked', 'died', 'unknown')),
    error TEXT,
    push_site INTEGER,
    pop_site INTEGER,
    method TEXT,
    path TEXT,
    endpoint INTEGER,
    request_id TEXT,
    trace_id TEXT
) STRICT;

CREATE INDEX context_open ON context (pushed_at) WHERE outcome = 'open';
CREATE INDEX context_by_time ON context (pushed_at);
CREATE INDEX context_by_path ON context (path, pushed_at) WHERE path IS NOT NULL;
CREATE INDEX context_by_request ON context (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX context_by_trace ON context (trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX context_by_parent ON context (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE g_snapshot (
    id INTEGER PRIMARY KEY,
    g_json TEXT NOT NULL,
    truncated INTEGER NOT NULL
) STRICT;

CREATE TABLE recycle (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    worker INTEGER,
    worker_number INTEGER,
    epoch_before INTEGER,
    epoch_after INTEGER NOT NULL,
    variables_dropped INTEGER NOT NULL
) STRICT;

CREATE TABLE problem (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    context_id INTEGER,
    other_context_id INTEGER,
    worker INTEGER,
    worker_number INTEGER,
    signature TEXT NOT NULL,
    message TEXT NOT NULL,
    site INTEGER
) STRICT;

CREATE INDEX problem_by_signature ON problem (signature);
CREATE INDEX problem_by_kind ON problem (kind, at);
CREATE INDEX problem_by_context ON problem (context_id) WHERE context_id IS NOT NULL;

CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are append-only: record a new event instead of changing one');
END;

CREATE VIEW runs AS
SELECT
    run_id, run_uuid, app, host, pid, executable, version,
    started_at,
    strftime('%Y-%m-%dT%H:%M:%S.', started_at / 1000000, 'unixepoch') || substr('00000' || started_at % 1000000, -6) || 'Z'
        AS started_at_iso,
    ended_at,
    strftime('%Y-%m-%dT%H:%M:%S.', ended_at / 1000000, 'unixepoch') || substr('00000' || ended_at % 1000000, -6) || 'Z'
        AS ended_at_iso,
    end_state
FROM run;

CREATE VIEW contexts AS
SELECT
    c.context_id, c.run_id, c.kind, c.origin,
    (SELECT value FROM string WHERE id = c.app) AS app,
    c.parent_id,
    (SELECT value FROM string WHERE id = c.worker) || c.worker_number AS worker,
    c.epoch,
    c.pushed_at,
    strftime('%Y-%m-%dT%H:%M:%S.', c.pushed_at / 1000000, 'unixepoch') || substr('00000' || c.pushed_at % 1000000, -6) || 'Z'
        AS pushed_at_iso,
    c.popped_at,
    strftime('%Y-%m-%dT%H:%M:%S.', c.popped_at / 1000000, 'unixepoch') || substr('00000' || c.popped_at % 1000000, -6) || 'Z'
        AS popped_at_iso,
    c.duration_ns, c.outcome, c.error,
    (SELECT value FROM string WHERE id = c.push_site) AS push_site,
    (SELECT value FROM string WHERE id = c.pop_site) AS pop_site,
    c.method, c.path,
    (SELECT value FROM string WHERE id = c.endpoint) AS endpoint,
    c.request_id, c.trace_id
FROM context AS c;

CREATE VIEW events AS
SELECT
    e.id, e.run_id, e.seq, e.at,
    strftime('%Y-%m-%dT%H:%M:%S.', e.at / 1000000, 'unixepoch') || substr('00000' || e.at % 1000000, -6) || 'Z' AS at_iso,
    k.name AS kind,
    e.context_id,
    e.other_id AS other_context_id,
    (SELECT value FROM string WHERE id = e.worker) || e.worker_number AS worker,
    e.thread, e.epoch,
    (SELECT value FROM string WHERE id = e.name) AS name,
    (SELECT value FROM string WHERE id = e.site) AS site,
    e.duration_ns, e.outcome, e.detail
FROM event AS e JOIN event_kind AS k ON k.id = e.kind;

CREATE VIEW teardowns AS
SELECT
    e.id, e.run_id, e.seq, e.at,
    strftime('%Y-%m-%dT%H:%M:%S.', e.at / 1000000, 'unixepoch') || substr('00000' || e.at % 1000000, -6) || 'Z' AS at_iso,
    e.context_id,
    e.detail ->> '$.position' AS position,
    (SELECT value FROM string WHERE id = e.name) AS hook,
    e.duration_ns,
    e.detail ->> '$.error' AS error,
    (SELECT value FROM string WHERE id = e.site) AS site
FROM event AS e
WHERE e.kind = 7;

CREATE VIEW g_snapshots AS
SELECT
    e.id, e.run_id, e.seq, e.context_id,
    (SELECT value FROM string WHERE id = e.name) AS label,
    e.at,
    strftime('%Y-%m-%dT%H:%M:%S.', e.at / 1000000, 'unixepoch') || substr('00000' || e.at % 1000000, -6) || 'Z' AS at_iso,
    s.g_json, s.truncated
FROM event AS e CROSS JOIN g_snapshot AS s ON s.id = e.id
WHERE e.kind = 10;

CREATE VIEW recycles AS
SELECT
    r.id, r.run_id, r.seq, r.at,
    strftime('%Y-%m-%dT%H:%M:%S.', r.at / 1000000, 'unixepoch') || substr('00000' || r.at % 1000000, -6) || 'Z' AS at_iso,
    (SELECT value FROM string WHERE id = r.worker) || r.worker_number AS worker,
    r.epoch_before, r.epoch_after, r.variables_dropped
FROM recycle AS r;

CREATE VIEW problems AS
SELECT
    p.id, p.run_id, p.seq, p.at,
    strftime('%Y-%m-%dT%H:%M:%S.', p.at / 1000000, 'unixepoch') || substr('00000' || p.at % 1000000, -6) || 'Z' AS at_iso,
    p.kind, p.context_id, p.other_context_id,
    (SELECT value FROM string WHERE id = p.worker) || p.worker_number AS worker,
    p.signature, p.message,
    (SELECT value FROM string WHERE id = p.site) AS site
FROM problem AS p;
