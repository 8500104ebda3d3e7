-- What vouches for a run of which retention has dropped all batches.

-- seal  what the row says of the run and its end, as a digest: set by retention when the last batch of a run that is over goes
ALTER TABLE run ADD COLUMN seal TEXT;

-- last_run  the runs up to this one were there at the last slice; 0 before the first with this column
-- runs      the digest of what stays as it is of their rows, and of their seals
ALTER TABLE anchor ADD COLUMN last_run INTEGER NOT NULL DEFAULT 0;
ALTER TABLE anchor ADD COLUMN runs BLOB;
