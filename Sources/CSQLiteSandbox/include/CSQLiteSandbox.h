// What ContrailStore needs of SQLite's C interface and Swift cannot call: sqlite3_db_config is variadic.
#ifndef CSQLITESANDBOX_H
#define CSQLITESANDBOX_H

#include <sqlite3.h>

/// Sets a boolean SQLITE_DBCONFIG_… option. Returns SQLite's result code.
int contrail_sqlite_db_config(sqlite3 *database, int option, int value);

#endif
