-- In SQLite `||` binds more tightly than `%`: a time in the first tenth of its second lost the leading zeros of its fraction in
-- the ISO twin. The views are made anew with the remainder in parentheses; nothing that is stored changes.

DROP VIEW problems;
DROP VIEW recycles;
DROP VIEW g_snapshots;
DROP VIEW teardowns;
DROP VIEW events;
DROP VIEW contexts;
DROP VIEW runs;

CREATE VIEW runs AS
SELECT
    run_id, run_uuid, app, host, pid, executable, version,
    started_at,
    strftime('%Y-%m-%dT%H:%M:%S.', started_at / 1000000, 'unixepoch') || substr('00000' || (started_at % 1000000), -6) || 'Z'
        AS started_at_iso,
    ended_at,
    strftime('%Y-%m-%dT%H:%M:%S.', ended_at / 1000000, 'unixepoch') || substr('00000' || (ended_at % 1000000), -6) || 'Z'
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
    strftime('%Y-%m-%dT%H:%M:%S.', c.pushed_at / 1000000, 'unixepoch') || substr('00000' || (c.pushed_at % 1000000), -6) || 'Z'
        AS pushed_at_iso,
    c.popped_at,
    strftime('%Y-%m-%dT%H:%M:%S.', c.popped_at / 1000000, 'unixepoch') || substr('00000' || (c.popped_at % 1000000), -6) || 'Z'
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
    strftime('%Y-%m-%dT%H:%M:%S.', e.at / 1000000, 'unixepoch') || substr('00000' || (e.at % 1000000), -6) || 'Z' AS at_iso,
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
    strftime('%Y-%m-%dT%H:%M:%S.', e.at / 1000000, 'unixepoch') || substr('00000' || (e.at % 1000000), -6) || 'Z' AS at_iso,
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
    strftime('%Y-%m-%dT%H:%M:%S.', e.at / 1000000, 'unixepoch') || substr('00000' || (e.at % 1000000), -6) || 'Z' AS at_iso,
    s.g_json, s.truncated
FROM event AS e CROSS JOIN g_snapshot AS s ON s.id = e.id
WHERE e.kind = 10;

CREATE VIEW recycles AS
SELECT
    r.id, r.run_id, r.seq, r.at,
    strftime('%Y-%m-%dT%H:%M:%S.', r.at / 1000000, 'unixepoch') || substr('00000' || (r.at % 1000000), -6) || 'Z' AS at_iso,
    (SELECT value FROM string WHERE id = r.worker) || r.worker_number AS worker,
    r.epoch_before, r.epoch_after, r.variables_dropped
FROM recycle AS r;

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
        SELECT (SELECT value FROM string WHERE id = c.worker) || c.worker_number
        FROM context AS c
        WHERE c.context_id = p.context_id
    ) AS owner,
    (SELECT value FROM string WHERE id = p.owner_site) AS owner_site,
    p.age_ns
FROM problem AS p;
