-- The same trail in two thirds of the room. Who did something (run, worker, thread) is a lane; an event says by a code and by
-- one value of any type what its kind has to say, and the views write the JSON; a context names its first and its last
-- event and holds only what is searched for. Recycles and snapshots of g are nothing but events.

DROP VIEW problems;
DROP VIEW recycles;
DROP VIEW g_snapshots;
DROP VIEW teardowns;
DROP VIEW events;
DROP VIEW contexts;
DROP TRIGGER event_is_append_only;
DROP INDEX event_by_kind_time;
DROP INDEX event_by_kind_order;
DROP INDEX context_open;
DROP INDEX context_by_time;
DROP INDEX context_by_path;
DROP INDEX context_by_request;
DROP INDEX context_by_trace;
DROP INDEX context_by_parent;
ALTER TABLE event RENAME TO event_v3;
ALTER TABLE context RENAME TO context_v3;

-- Lanes may repeat: a writer remembers those that it made, and makes a new one for what it forgot.
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    -- events.id less events.seq, but for each event's own shift.
    base INTEGER NOT NULL,
    worker INTEGER,
    number INTEGER,
    thread INTEGER
) STRICT;

-- What code and extra say depends on the kind:
--   pushes     code: origin + 8 * (depth - 1); extra: the parent's id
--   pops       code: outcome + 8 * remaining pushes; extra: the error
--   teardown   code: position; extra: the error
--   g_set      code: the value's type (0 integer, 1 text, 2 null, 3 boolean, 4 a number as text, 5 JSON that describes it,
--              6 redacted); extra: the value, null when it was erased
--   g_snapshot code: whether it was cut; extra: JSON
--   recycle    code: values dropped; extra: the epoch before
--   problems   code: the other context's id; extra: JSON
--   drop       code: how many; extra: JSON
--   signal_failed, error   extra: the error
--   any other  extra: JSON
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    shift INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    context_id INTEGER,
    lane INTEGER NOT NULL,
    epoch INTEGER,
    name INTEGER,
    site INTEGER,
    duration_ns INTEGER,
    code INTEGER,
    extra ANY,
    g_key INTEGER AS (CASE WHEN kind = 8 OR kind = 9 THEN name END) VIRTUAL
) STRICT;

INSERT INTO lane (run_id, base, worker, number, thread)
SELECT DISTINCT e.run_id, b.base, e.worker, e.worker_number, e.thread
FROM event_v3 AS e JOIN (SELECT run_id, min(id - seq) AS base FROM event_v3 GROUP BY run_id) AS b ON b.run_id = e.run_id;

CREATE INDEX lane_of_v3 ON lane (run_id, thread, worker, number);

INSERT INTO event (id, shift, at, kind, context_id, lane, epoch, name, site, duration_ns, code, extra)
SELECT
    e.id, e.seq - (e.id - l.base), e.at, e.kind, e.context_id, l.id, e.epoch, e.name, e.site, e.duration_ns,
    CASE
        WHEN e.kind IN (3, 5) THEN
            CASE e.detail ->> '$.origin' WHEN 'http' THEN 1 WHEN 'copy' THEN 2 WHEN 'borrow' THEN 3 WHEN 'test' THEN 4 ELSE 0 END
            + 8 * (ifnull(e.detail ->> '$.depth', 1) - 1)
        WHEN e.kind IN (4, 6) THEN
            CASE e.outcome WHEN 'ok' THEN 1 WHEN 'handled' THEN 2 WHEN 'failed' THEN 3 WHEN 'aborted' THEN 4 WHEN 'leaked' THEN 5
            ELSE 0 END + 8 * ifnull(e.detail ->> '$.remaining', 0)
        WHEN e.kind = 7 THEN e.detail ->> '$.position'
        WHEN e.kind = 8 THEN
            CASE json_type(e.detail, '$.value') WHEN 'integer' THEN 0 WHEN 'text' THEN 1 WHEN 'null' THEN 2 WHEN 'true' THEN 3
            WHEN 'false' THEN 3 WHEN 'real' THEN 4
            ELSE iif(e.detail ->> '$.value.redacted' IS NULL, 5, 6) END
        WHEN e.kind = 10 THEN ifnull((SELECT truncated FROM g_snapshot WHERE id = e.id), 0)
        WHEN e.kind = 11 THEN e.detail ->> '$.dropped'
        WHEN e.kind = 25 THEN e.detail ->> '$.count'
        WHEN e.kind BETWEEN 12 AND 17 THEN e.other_id
    END,
    CASE
        WHEN e.kind IN (3, 5) THEN e.other_id
        WHEN e.kind IN (4, 6, 7, 18, 21) THEN e.detail ->> '$.error'
        WHEN e.kind = 8 THEN
            CASE json_type(e.detail, '$.value') WHEN 'integer' THEN e.detail ->> '$.value' WHEN 'text' THEN e.detail ->> '$.value'
            WHEN 'true' THEN 1 WHEN 'false' THEN 0 WHEN 'real' THEN e.detail -> '$.value'
            ELSE iif(e.detail ->> '$.value.redacted' IS NULL, e.detail -> '$.value', NULL) END
        WHEN e.kind = 10 THEN (SELECT g_json FROM g_snapshot WHERE id = e.id)
        WHEN e.kind = 11 THEN e.detail ->> '$.before'
        ELSE e.detail
    END
FROM event_v3 AS e JOIN lane AS l
    ON l.run_id = e.run_id AND l.thread IS e.thread AND l.worker IS e.worker AND l.number IS e.worker_number
ORDER BY e.id;

DROP INDEX lane_of_v3;

-- outcome is text because the index on the open ones is asked for by it. method is set for a request and for nothing else.
CREATE TABLE context (
    context_id INTEGER PRIMARY KEY,
    push_id INTEGER NOT NULL,
    pop_id INTEGER,
    pushed_at INTEGER NOT NULL,
    outcome TEXT NOT NULL
        CHECK (outcome IN ('open', 'ok', 'handled', 'failed', 'aborted', 'leaked', 'died', 'unknown')),
    parent_id INTEGER,
    method INTEGER,
    path TEXT,
    endpoint INTEGER,
    request_id TEXT,
    trace_id TEXT
) STRICT;

INSERT OR IGNORE INTO string (value)
SELECT DISTINCT ifnull(method, '') FROM context_v3 WHERE kind = 'request';

INSERT INTO context (context_id, push_id, pop_id, pushed_at, outcome, parent_id, method, path, endpoint, request_id, trace_id)
SELECT
    c.context_id,
    ifnull((SELECT min(id) FROM event_v3 WHERE context_id = c.context_id AND kind IN (3, 5)), 0),
    iif(c.popped_at IS NULL, NULL, (SELECT max(id) FROM event_v3 WHERE context_id = c.context_id AND kind IN (4, 6))),
    c.pushed_at, c.outcome, c.parent_id,
    iif(c.kind = 'request', (SELECT id FROM string WHERE value = ifnull(c.method, '')), NULL),
    c.path, c.endpoint, c.request_id, c.trace_id
FROM context_v3 AS c
ORDER BY c.context_id;

DROP TABLE event_v3;
DROP TABLE context_v3;
DROP TABLE recycle;
DROP TABLE g_snapshot;

CREATE INDEX event_by_kind_time ON event (kind, at);
CREATE INDEX event_by_kind_order ON event (kind);
CREATE INDEX event_by_context ON event (context_id, g_key) WHERE context_id IS NOT NULL;
CREATE INDEX context_open ON context (pushed_at) WHERE outcome = 'open';
CREATE INDEX context_by_time ON context (pushed_at);
CREATE INDEX context_by_path ON context (path, pushed_at) WHERE path IS NOT NULL;
CREATE INDEX context_by_request ON context (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX context_by_trace ON context (trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX context_by_parent ON context (parent_id) WHERE parent_id IS NOT NULL;

CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are append-only: record a new event instead of changing one');
END;

-- Columns of a context's first and last event are looked up one by one: so the view stays one table, which SQLite can put in
-- place of the view on either side of a join.
CREATE VIEW contexts AS
SELECT
    c.context_id,
    c.context_id >> 32 AS run_id,
    iif(c.method IS NULL, 'app', 'request') AS kind,
    (SELECT CASE p.code & 7 WHEN 0 THEN 'manual' WHEN 1 THEN 'http' WHEN 2 THEN 'copy' WHEN 3 THEN 'borrow' WHEN 4 THEN 'test' END FROM event AS p WHERE p.id = c.push_id) AS origin,
    (SELECT (SELECT value FROM string WHERE id = p.name) FROM event AS p WHERE p.id = c.push_id) AS app,
    c.parent_id,
    (SELECT (SELECT value FROM string WHERE id = l.worker) || l.number FROM event AS p CROSS JOIN lane AS l ON l.id = p.lane WHERE p.id = c.push_id) AS worker,
    (SELECT p.epoch FROM event AS p WHERE p.id = c.push_id) AS epoch,
    c.pushed_at,
    strftime('%Y-%m-%dT%H:%M:%S.', c.pushed_at / 1000000, 'unixepoch') || substr('00000' || (c.pushed_at % 1000000), -6) || 'Z' AS pushed_at_iso,
    (SELECT q.at FROM event AS q WHERE q.id = c.pop_id) AS popped_at,
    (
        SELECT strftime('%Y-%m-%dT%H:%M:%S.', q.at / 1000000, 'unixepoch') || substr('00000' || (q.at % 1000000), -6) || 'Z'
        FROM event AS q WHERE q.id = c.pop_id
    ) AS popped_at_iso,
    (SELECT q.duration_ns FROM event AS q WHERE q.id = c.pop_id) AS duration_ns,
    c.outcome,
    (SELECT q.extra FROM event AS q WHERE q.id = c.pop_id) AS error,
    (SELECT (SELECT value FROM string WHERE id = p.site) FROM event AS p WHERE p.id = c.push_id) AS push_site,
    (SELECT (SELECT value FROM string WHERE id = q.site) FROM event AS q WHERE q.id = c.pop_id) AS pop_site,
    nullif((SELECT value FROM string WHERE id = c.method), '') AS method,
    c.path,
    (SELECT value FROM string WHERE id = c.endpoint) AS endpoint,
    c.request_id, c.trace_id
FROM context AS c;

-- A lane is looked up for an event and never the other way round: CROSS JOIN says so.
CREATE VIEW events AS
SELECT
    e.id,
    l.run_id,
    e.id - l.base + e.shift AS seq,
    e.at,
    strftime('%Y-%m-%dT%H:%M:%S.', e.at / 1000000, 'unixepoch') || substr('00000' || (e.at % 1000000), -6) || 'Z' AS at_iso,
    k.name AS kind,
    e.context_id,
    CASE WHEN e.kind IN (3, 5) THEN e.extra WHEN e.kind BETWEEN 12 AND 17 THEN e.code END AS other_context_id,
    (SELECT value FROM string WHERE id = l.worker) || l.number AS worker,
    l.thread, e.epoch,
    (SELECT value FROM string WHERE id = e.name) AS name,
    (SELECT value FROM string WHERE id = e.site) AS site,
    e.duration_ns,
    CASE WHEN e.kind IN (4, 6) THEN CASE e.code & 7 WHEN 1 THEN 'ok' WHEN 2 THEN 'handled' WHEN 3 THEN 'failed' WHEN 4 THEN 'aborted' WHEN 5 THEN 'leaked' END END AS outcome,
    CASE
        WHEN e.kind = 8 THEN '{"value":' || CASE
            WHEN e.code = 6 THEN '{"redacted":true}' WHEN e.code = 2 THEN 'null' WHEN e.extra IS NULL THEN '{"erased":true}'
            WHEN e.code = 1 THEN json_quote(e.extra) WHEN e.code = 3 THEN iif(e.extra, 'true', 'false') ELSE e.extra
        END || '}'
        WHEN e.kind = 7 THEN '{"position":' || e.code || iif(e.extra IS NULL, '', ',"error":' || json_quote(e.extra)) || '}'
        WHEN e.kind = 11 THEN '{' || ifnull('"before":' || e.extra || ',', '') || '"dropped":' || e.code || '}'
        WHEN e.kind IN (4, 6) THEN nullif('{' || substr(
            iif(e.code > 7, ',"remaining":' || (e.code >> 3), '') || iif(e.extra IS NULL, '', ',"error":' || json_quote(e.extra)), 2
        ) || '}', '{}')
        WHEN e.kind = 3 OR e.kind = 5 THEN nullif('{' || substr(
            iif(e.code & 7, ',"origin":"' || CASE e.code & 7 WHEN 0 THEN 'manual' WHEN 1 THEN 'http' WHEN 2 THEN 'copy' WHEN 3 THEN 'borrow' WHEN 4 THEN 'test' END || '"', '')
            || iif(e.code > 7, ',"depth":' || ((e.code >> 3) + 1), '')
            || iif(e.kind = 5, ifnull((
                SELECT ifnull((SELECT ',"method":' || json_quote(value) FROM string WHERE id = c.method AND value <> ''), '')
                    || iif(c.path IS NULL, '', ',"path":' || json_quote(c.path))
                    || ifnull((SELECT ',"endpoint":' || json_quote(value) FROM string WHERE id = c.endpoint), '')
                    || iif(c.request_id IS NULL, '', ',"request_id":' || json_quote(c.request_id))
                    || iif(c.trace_id IS NULL, '', ',"trace_id":' || json_quote(c.trace_id))
                FROM context AS c WHERE c.context_id = e.context_id
            ), ''), ''), 2
        ) || '}', '{}')
        WHEN e.kind = 18 OR e.kind = 21 THEN '{"error":' || json_quote(e.extra) || '}'
        WHEN e.kind <> 10 THEN e.extra
    END AS detail
FROM event_kind AS k JOIN event AS e ON e.kind = k.id CROSS JOIN lane AS l ON l.id = e.lane;

CREATE VIEW teardowns AS
SELECT
    e.id, l.run_id, e.id - l.base + e.shift AS seq, e.at,
    strftime('%Y-%m-%dT%H:%M:%S.', e.at / 1000000, 'unixepoch') || substr('00000' || (e.at % 1000000), -6) || 'Z' AS at_iso,
    e.context_id,
    e.code AS position,
    (SELECT value FROM string WHERE id = e.name) AS hook,
    e.duration_ns,
    e.extra AS error,
    (SELECT value FROM string WHERE id = e.site) AS site
FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane
WHERE e.kind = 7;

CREATE VIEW g_snapshots AS
SELECT
    e.id, l.run_id, e.id - l.base + e.shift AS seq, e.context_id,
    (SELECT value FROM string WHERE id = e.name) AS label,
    e.at,
    strftime('%Y-%m-%dT%H:%M:%S.', e.at / 1000000, 'unixepoch') || substr('00000' || (e.at % 1000000), -6) || 'Z' AS at_iso,
    e.extra AS g_json, e.code AS truncated
FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane
WHERE e.kind = 10;

CREATE VIEW recycles AS
SELECT
    e.id, l.run_id, e.id - l.base + e.shift AS seq, e.at,
    strftime('%Y-%m-%dT%H:%M:%S.', e.at / 1000000, 'unixepoch') || substr('00000' || (e.at % 1000000), -6) || 'Z' AS at_iso,
    (SELECT value FROM string WHERE id = l.worker) || l.number AS worker,
    e.extra AS epoch_before, e.epoch AS epoch_after, e.code AS variables_dropped
FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane
WHERE e.kind = 11;

CREATE VIEW problems AS
SELECT
    p.id, p.run_id, p.seq, p.at,
    strftime('%Y-%m-%dT%H:%M:%S.', p.at / 1000000, 'unixepoch') || substr('00000' || (p.at % 1000000), -6) || 'Z' AS at_iso,
    p.kind, p.context_id, p.other_context_id,
    (SELECT value FROM string WHERE id = p.worker) || p.worker_number AS worker,
    p.signature, p.message,
    (SELECT value FROM string WHERE id = p.site) AS site,
    CASE WHEN p.reader_thread IS NOT NULL
        THEN ifnull((SELECT value FROM string WHERE id = p.worker) || p.worker_number, 'thread:' || p.reader_thread)
    END AS reader,
    (
        SELECT (SELECT value FROM string WHERE id = l.worker) || l.number
        FROM context AS c CROSS JOIN event AS o ON o.id = c.push_id CROSS JOIN lane AS l ON l.id = o.lane
        WHERE c.context_id = p.context_id
    ) AS owner,
    (SELECT value FROM string WHERE id = p.owner_site) AS owner_site,
    p.age_ns
FROM problem AS p;
