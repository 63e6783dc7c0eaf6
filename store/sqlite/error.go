package sqlite

import (
	"database/sql"
	"errors"

	"gatehouse"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Kind says what an error of SQLite means to the caller. The low byte of a
// code is its class (sqlite.org/rescode.html).
func (e *engine) Kind(err error) gatehouse.ErrorKind {
	if errors.Is(err, sql.ErrConnDone) || err.Error() == "sql: database is closed" {
		return gatehouse.Unavailable
	}
	fault, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return gatehouse.Internal
	}
	switch fault.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return gatehouse.Full
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return gatehouse.Unavailable
	}
	return gatehouse.Internal
}

// Advice is what to do about an error, to follow its text; "" for most.
func (e *engine) Advice(err error) string {
	if fault, ok := errors.AsType[*sqlite.Error](err); ok && fault.Code()&0xff == sqlite3.SQLITE_BUSY {
		return "; another program holds the lock of the database's file: nothing was changed, and it goes on by itself when that program lets go"
	}
	return ""
}
