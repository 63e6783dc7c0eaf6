package sqlstore

import (
	"context"
	"database/sql"
	"io/fs"

	"gatehouse"

	"github.com/pressly/goose/v3"
)

// Dialects that Migrate knows.
const (
	SQLite   = goose.DialectSQLite3
	Postgres = goose.DialectPostgres
)

// Migrate brings the tables up to date with the files in folder migrations.
// The caller sees to it that no other process does the same. A database that a
// newer program has written is refused: what it means is not known here.
func Migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, files fs.FS) error {
	folder, err := fs.Sub(files, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, folder, goose.WithDisableGlobalRegistry(true), goose.WithTableName("migration"))
	if err != nil {
		return err
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > known {
		return gatehouse.E(gatehouse.Invalid, "its tables are of version %d and this program knows %d: a newer Gatehouse has used it, and what it keeps there would be lost; start that one, or restore a copy from before", have, known)
	}
	_, err = p.Up(ctx)
	return err
}
