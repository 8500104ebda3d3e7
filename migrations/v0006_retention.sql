-- What is left of a trail whose oldest batches were dropped, and what is kept of them all the same.

DROP TABLE anchor;

-- The state after the last slice. Its digest is in the slice's event, and so in the chain.
-- batch_id, root       the last batch that was dropped: what the first one that is left follows
-- last_id              events up to here are gone, but for those in kept
-- last_string, lanes   names and lanes up to these were stored by batches that are gone: no batch vouches for them,
--                      these two digests do
-- kept                 the digest of the events that are kept
CREATE TABLE anchor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    batch_id INTEGER NOT NULL,
    root BLOB NOT NULL,
    last_id INTEGER NOT NULL,
    last_string INTEGER NOT NULL,
    last_lane INTEGER NOT NULL,
    strings BLOB NOT NULL,
    lanes BLOB NOT NULL,
    kept BLOB NOT NULL
) STRICT;

-- Events that outlive their batch: the push and the last values of what is not over yet, and all of what is pinned.
CREATE TABLE kept (
    event_id INTEGER PRIMARY KEY,
    context_id INTEGER NOT NULL,
    leaf BLOB NOT NULL
) STRICT;

CREATE INDEX kept_by_context ON kept (context_id);

-- gone_seq  what retention had removed of the run when it was pinned
CREATE TABLE pin (
    context_id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    gone_seq INTEGER NOT NULL
) STRICT;

-- What the last writer was told, and what retention has done since the beginning.
-- generation  rises when names or lanes are removed: writers forget the numbers that they remember
-- swept_id    events up to here were gone when that happened last
CREATE TABLE retention (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cap INTEGER,
    age_us INTEGER,
    generation INTEGER NOT NULL,
    swept_id INTEGER NOT NULL,
    slices INTEGER NOT NULL,
    events INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    last_at INTEGER,
    longest_ns INTEGER NOT NULL
) STRICT;

INSERT INTO retention VALUES (1, NULL, NULL, 0, 0, 0, 0, 0, NULL, 0);

-- The highest number of the run that retention removed, and how many lost events the drop events told of that it removed.
ALTER TABLE run ADD COLUMN gone_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN gone_drops INTEGER NOT NULL DEFAULT 0;
