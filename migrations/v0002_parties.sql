-- A problem has two parties: the owner, whose state was touched, and the reader, who touched it. From here on a problem's
-- worker is the reader's; rows of earlier versions may have the owner's there, and are told by their missing thread.

ALTER TABLE problem ADD COLUMN owner_site INTEGER;
ALTER TABLE problem ADD COLUMN age_ns INTEGER;
ALTER TABLE problem ADD COLUMN reader_thread INTEGER;

DROP VIEW problems;

CREATE VIEW problems AS
SELECT
    p.id, p.run_id, p.seq, p.at,
    strftime('%Y-%m-%dT%H:%M:%S.', p.at / 1000000, 'unixepoch') || substr('00000' || p.at % 1000000, -6) || 'Z' AS at_iso,
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
