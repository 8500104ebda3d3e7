// The rows of a request, as the drain stores them: event, context, string, lane. Nothing is computed that could be kept.
#include "RawDrain.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_REQUEST = 1, MOST_REQUESTS = 2048, LANES = 8 };

struct raw_drain {
    sqlite3 *database;
    sqlite3_stmt *event;
    sqlite3_stmt *context;
    long id;
    long request;
    long at;
    int failed;
    // What one batch remembers until its contexts are written.
    long push_id[MOST_REQUESTS];
    long pop_id[MOST_REQUESTS];
    long pushed_at[MOST_REQUESTS];
};

/// One row of `event`. A zero stands for NULL where the drain binds NULL.
struct event {
    int kind;
    sqlite3_int64 context;
    long epoch;
    int name;
    int site;
    long duration;
    int has_code;
    long code;
    sqlite3_int64 number;
    const char *text;
};

static void bind_or_null(sqlite3_stmt *statement, int index, sqlite3_int64 value) {
    if (value) sqlite3_bind_int64(statement, index, value); else sqlite3_bind_null(statement, index);
}

static void run(raw_drain *drain, sqlite3_stmt *statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) drain->failed = 1;
    sqlite3_reset(statement);
}

static void execute(raw_drain *drain, const char *sql) {
    if (sqlite3_exec(drain->database, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s\n", sqlite3_errmsg(drain->database));
        drain->failed = 1;
    }
}

static void write_event(raw_drain *drain, const struct event event) {
    sqlite3_stmt *s = drain->event;
    drain->id++;
    drain->at += drain->id & 1;
    sqlite3_bind_int64(s, 1, drain->id);
    sqlite3_bind_int64(s, 2, 0);
    sqlite3_bind_int64(s, 3, drain->at);
    sqlite3_bind_int64(s, 4, event.kind);
    bind_or_null(s, 5, event.context);
    sqlite3_bind_int64(s, 6, drain->request % LANES + 1);
    sqlite3_bind_int64(s, 7, event.epoch);
    bind_or_null(s, 8, event.name);
    bind_or_null(s, 9, event.site);
    bind_or_null(s, 10, event.duration);
    if (event.has_code) sqlite3_bind_int64(s, 11, event.code); else sqlite3_bind_null(s, 11);
    if (event.text) sqlite3_bind_text(s, 12, event.text, -1, SQLITE_STATIC); else bind_or_null(s, 12, event.number);
    run(drain, s);
}

static void write_request(raw_drain *drain, int place) {
    const long number = drain->request;
    const sqlite3_int64 app = ((sqlite3_int64)1 << 32) + 2 * number + 1, request = app + 1;
    const long epoch = 2 * number + 2;
    char json[64];
    snprintf(json, sizeof json, number & 1 ? "{\"order_id\":%ld,\"total\":%ld}" : "{\"order_id\":%ld}", number, number % 977);
    write_event(drain, (struct event){.kind = 11, .epoch = epoch, .has_code = 1, .number = epoch - 1});
    write_event(drain, (struct event){.kind = 3, .context = app, .epoch = epoch, .name = 1, .site = 2, .has_code = 1});
    drain->push_id[place] = drain->id;
    drain->pushed_at[place] = drain->at;
    write_event(drain, (struct event){.kind = 5, .context = request, .epoch = epoch, .name = 1, .site = 3, .has_code = 1,
                                      .number = app});
    write_event(drain, (struct event){.kind = 8, .context = app, .epoch = epoch, .name = 4, .site = 5, .has_code = 1,
                                      .number = number});
    if (number & 1)
        write_event(drain, (struct event){.kind = 8, .context = app, .epoch = epoch, .name = 6, .site = 7, .has_code = 1,
                                          .number = number % 977});
    write_event(drain, (struct event){.kind = 10, .context = request, .epoch = epoch, .name = 8, .has_code = 1,
                                      .text = json});
    write_event(drain, (struct event){.kind = 7, .context = request, .epoch = epoch, .name = 9, .site = 10, .duration = 180,
                                      .has_code = 1, .code = 1});
    write_event(drain, (struct event){.kind = 6, .context = request, .epoch = epoch, .site = 11, .duration = 8131,
                                      .has_code = 1, .code = 1});
    drain->pop_id[place] = drain->id;
    write_event(drain, (struct event){.kind = 7, .context = app, .epoch = epoch, .name = 12, .site = 13, .duration = 212,
                                      .has_code = 1, .code = 1});
    write_event(drain, (struct event){.kind = 4, .context = app, .epoch = epoch, .site = 14, .duration = 32809,
                                      .has_code = 1, .code = 1});
    drain->request++;
}

static void write_app_context(raw_drain *drain, sqlite3_int64 app, long push_id, long pop_id, long pushed_at) {
    sqlite3_stmt *s = drain->context;
    sqlite3_bind_int64(s, 1, app);
    sqlite3_bind_int64(s, 2, push_id);
    sqlite3_bind_int64(s, 3, pop_id);
    sqlite3_bind_int64(s, 4, pushed_at);
    sqlite3_bind_text(s, 5, "ok", 2, SQLITE_STATIC);
    for (int column = 6; column <= 11; column++) sqlite3_bind_null(s, column);
    run(drain, s);
}

static void write_contexts(raw_drain *drain, int count) {
    sqlite3_stmt *s = drain->context;
    for (int place = 0; place < count; place++) {
        const long number = drain->request - count + place;
        const sqlite3_int64 app = ((sqlite3_int64)1 << 32) + 2 * number + 1;
        char path[32], request_id[40];
        snprintf(path, sizeof path, "/orders/%ld", number % 10000);
        snprintf(request_id, sizeof request_id, "%032lx", number);
        write_app_context(drain, app, drain->push_id[place], drain->pop_id[place] + 2, drain->pushed_at[place]);
        sqlite3_bind_int64(s, 1, app + 1);
        sqlite3_bind_int64(s, 2, drain->push_id[place] + 1);
        sqlite3_bind_int64(s, 3, drain->pop_id[place]);
        sqlite3_bind_int64(s, 6, app);
        sqlite3_bind_int64(s, 7, 15);
        sqlite3_bind_text(s, 8, path, -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 9, 16);
        sqlite3_bind_text(s, 10, request_id, -1, SQLITE_STATIC);
        run(drain, s);
    }
}

/// An app context that nothing happened in: a push and a pop.
static void write_app(raw_drain *drain) {
    const sqlite3_int64 app = ((sqlite3_int64)1 << 32) + 2 * drain->request + 1;
    const long epoch = 2 * drain->request + 2;
    write_event(drain, (struct event){.kind = 3, .context = app, .epoch = epoch, .name = 1, .site = 2, .has_code = 1});
    const long push_id = drain->id, pushed_at = drain->at;
    write_event(drain, (struct event){.kind = 4, .context = app, .epoch = epoch, .site = 14, .duration = 312, .has_code = 1,
                                      .code = 1});
    write_app_context(drain, app, push_id, drain->id, pushed_at);
    drain->request++;
}

raw_drain *raw_drain_open(const char *path, const char *schema) {
    raw_drain *drain = calloc(1, sizeof *drain);
    if (!drain || sqlite3_open(path, &drain->database) != SQLITE_OK) return NULL;
    execute(drain, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL");
    execute(drain, schema);
    execute(drain, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;"
                   "PRAGMA wal_autocheckpoint = 16000");
    for (int i = 1; i <= 16; i++) {
        char sql[96];
        snprintf(sql, sizeof sql, "INSERT INTO string (id, value) VALUES (%d, 'DrainRate/Mix.swift:%d')", i, i);
        execute(drain, sql);
    }
    for (int i = 1; i <= LANES; i++) {
        char sql[120];
        snprintf(sql, sizeof sql, "INSERT INTO lane (run_id, base, worker, number, thread) VALUES (1, 0, 1, %d, %d)", i, 4711 + i);
        execute(drain, sql);
    }
    sqlite3_prepare_v3(drain->database,
                       "INSERT INTO event (id, shift, at, kind, context_id, lane, epoch, name, site, duration_ns, code, extra)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       -1, SQLITE_PREPARE_PERSISTENT, &drain->event, NULL);
    sqlite3_prepare_v3(drain->database,
                       "INSERT INTO context (context_id, push_id, pop_id, pushed_at, outcome, parent_id, method, path, endpoint,"
                       " request_id, trace_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       -1, SQLITE_PREPARE_PERSISTENT, &drain->context, NULL);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    drain->at = now.tv_sec * 1000000L + now.tv_nsec / 1000;
    drain->request = FIRST_REQUEST;
    if (drain->failed || !drain->event || !drain->context) {
        raw_drain_close(drain);
        return NULL;
    }
    return drain;
}

long raw_drain_write(raw_drain *drain, long events, long batch) {
    const long before = drain->id;
    while (drain->id - before < events && !drain->failed) {
        const long begin = drain->id;
        int requests = 0;
        execute(drain, "BEGIN IMMEDIATE");
        while (drain->id - begin < batch && requests < MOST_REQUESTS) write_request(drain, requests++);
        write_contexts(drain, requests);
        execute(drain, "COMMIT");
    }
    return drain->failed ? -1 : drain->id - before;
}

long raw_drain_write_apps(raw_drain *drain, long contexts) {
    const long before = drain->id;
    execute(drain, "BEGIN IMMEDIATE");
    for (long i = 0; i < contexts && !drain->failed; i++) write_app(drain);
    execute(drain, "COMMIT");
    return drain->failed ? -1 : drain->id - before;
}

void raw_drain_close(raw_drain *drain) {
    if (!drain) return;
    sqlite3_finalize(drain->event);
    sqlite3_finalize(drain->context);
    sqlite3_exec(drain->database, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    sqlite3_close(drain->database);
    free(drain);
}
