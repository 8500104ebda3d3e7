-- What g held when, and whether everything is still as it was written. A batch is what one or more commits of a run added: its
-- events have consecutive ids and rising numbers. What earlier versions wrote belongs to no batch.

-- root  SHA-256 over the root of the batch before, the numbers of this one, and the leaves of its strings, lanes and events
-- mac   HMAC of the root under the operator's key
-- salt  what the commitments of the payloads are made with; null when a payload was erased, then payload_salt has the rest
-- tags  the first two bytes of each event's leaf: they tell which one changed
CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    first_string INTEGER,
    last_string INTEGER,
    first_lane INTEGER,
    last_lane INTEGER,
    root BLOB,
    mac BLOB,
    salt BLOB,
    tags BLOB
) STRICT;

CREATE INDEX batch_by_run ON batch (run_id, first_seq);

-- The last batch that retention dropped: what the first one that is left follows.
CREATE TABLE anchor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    batch_id INTEGER NOT NULL,
    root BLOB NOT NULL
) STRICT;

-- What stands in an event's leaf for a payload that was erased.
CREATE TABLE commitment (
    event_id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL
) STRICT;

-- The salts of the payloads that are left in a batch whose salt is gone.
CREATE TABLE payload_salt (
    event_id INTEGER PRIMARY KEY,
    salt BLOB NOT NULL
) STRICT;

DROP TRIGGER event_is_append_only;

-- A payload may be erased, once its commitment is kept.
CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
WHEN NOT EXISTS (SELECT 1 FROM commitment WHERE event_id = OLD.id)
BEGIN
    SELECT RAISE(ABORT, 'events are append-only: record a new event instead of changing one');
END;

-- The sign before e.kind keeps SQLite from going through all events of the kind when a context is given.
CREATE VIEW g_versions AS
SELECT
    e.id, l.run_id, e.context_id,
    (SELECT value FROM string WHERE id = e.name) AS key,
    e.id - l.base + e.shift AS from_seq,
    (
        SELECT n.id - m.base + n.shift FROM event AS n CROSS JOIN lane AS m ON m.id = n.lane
        WHERE n.context_id = e.context_id AND n.g_key = e.g_key AND n.id > e.id ORDER BY n.id LIMIT 1
    ) AS to_seq,
    CAST(CASE
            WHEN e.code = 6 THEN '{"redacted":true}' WHEN e.code = 2 THEN 'null' WHEN e.extra IS NULL THEN '{"erased":true}'
            WHEN e.code = 1 THEN json_quote(e.extra) WHEN e.code = 3 THEN iif(e.extra, 'true', 'false') ELSE e.extra
        END AS TEXT) AS value,
    (SELECT value FROM string WHERE id = e.site) AS site,
    (SELECT value FROM string WHERE id = l.worker) || l.number AS worker,
    CASE WHEN e.code = 5 THEN 'described' WHEN e.code = 6 OR (e.extra IS NULL AND e.code <> 2) THEN 'not recorded' ELSE 'exact'
    END AS fidelity
FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane
WHERE +e.kind = 8;
