package postgres

import (
	"context"
	"math/rand/v2"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// A place is the number of the lock that a process holds as long as it lives. Its
// listener's connection has it: when the process ends, however it ends, the
// server closes that and lets the lock go. Behind a pooler that gives out
// connections by the transaction the lock tells nothing, and after the loss of a
// whole machine nothing until the server notices.
type place int32

func newPlace() place { return place(rand.Int32()) }

// places is the class of their locks; turns and migration have none.
const places = 0x67617465 // "gate"

// Process implements store.Roll.
func (e *engine) Process() string { return strconv.FormatInt(int64(e.place), 36) }

// Gone implements store.Roll: whoever can have a process's lock, if only for a
// moment, knows that it is not there.
func (e *engine) Gone(ctx context.Context, process string) bool {
	place, err := strconv.ParseInt(process, 36, 32)
	if err != nil {
		return false
	}
	tx, err := e.begin(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return false
	}
	defer rollback(ctx, tx)
	free := false
	err = tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1, $2)`, places, int32(place)).Scan(&free)
	return err == nil && free
}
