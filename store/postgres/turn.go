package postgres

import (
	"context"
	"hash/fnv"

	"github.com/jackc/pgx/v5"
)

// Bounds of a turn: who hangs gives it up, and nobody waits for it for ever.
const (
	turnWait = "30s"
	turnHold = "60s"
)

// Turn implements store.Turner by a lock that the server drops when this
// process, or its connection, is gone. It is held by a transaction that does
// nothing else, on a connection of its own.
func (e *engine) Turn(ctx context.Context, name string) (done func()) {
	tx, err := e.begin(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return func() {} // whoever decides will meet the same
	}
	var b pgx.Batch
	b.Queue(`SELECT set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true)`, turnWait, turnHold)
	b.Queue(`SELECT pg_advisory_xact_lock($1)`, turnKey(name))
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		rollback(ctx, tx)
		return func() {}
	}
	return func() { rollback(ctx, tx) }
}

// turnKey is the number of a turn's lock, far from that of migration.
func turnKey(name string) int64 {
	h := fnv.New64a()
	h.Write([]byte("gatehouse turn " + name))
	return int64(h.Sum64())
}
