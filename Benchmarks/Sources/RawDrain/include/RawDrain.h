// The yardstick of the drain: what SQLite itself needs for the same rows, in C, one bound and stepped statement per row.
#ifndef RAW_DRAIN_H
#define RAW_DRAIN_H

/// An open database that gets the rows.
typedef struct raw_drain raw_drain;

/// Makes the database at the path with the schema (SQL that creates tables, indexes and triggers). NULL when it cannot.
raw_drain *raw_drain_open(const char *path, const char *schema);

/// Writes whole requests until it has written at least so many events, `batch` events a transaction. Returns how many it wrote,
/// or -1 when SQLite refused.
long raw_drain_write(raw_drain *drain, long events, long batch);

/// Writes so many app contexts, two events each, in one transaction. Returns how many events it wrote, or -1 when SQLite refused.
long raw_drain_write_apps(raw_drain *drain, long contexts);

/// Moves the log into the database, and closes it.
void raw_drain_close(raw_drain *drain);

#endif
