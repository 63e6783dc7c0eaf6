package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel is what writers notify on; the message is the batch's number.
const channel = "gatehouse_head"

// poll is how long watchers sleep at most when no message comes.
const poll = time.Second

func (e *engine) Moved() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.moved
}

// wake lets every watcher look where the head is.
func (e *engine) wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.moved)
	e.moved = make(chan struct{})
}

// listen starts the listener, on a connection of its own.
func (e *engine) listen() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	e.stop = func() {
		cancel()
		<-done
	}
	config := e.pool.Config().ConnConfig
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			e.hear(ctx, config)
			// The connection is gone, or there never was one, such as behind
			// a pooler that knows no LISTEN: watchers look for themselves.
			e.wake()
			select {
			case <-ctx.Done():
			case <-time.After(poll):
			}
		}
	}()
}

// hear wakes watchers for each message, and at least every poll, until the
// connection breaks.
func (e *engine) hear(ctx context.Context, config *pgx.ConnConfig) {
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return
	}
	defer func() {
		late, cancel := context.WithTimeout(context.Background(), poll)
		defer cancel()
		_ = c.Close(late)
	}()
	if _, err := c.Exec(ctx, `LISTEN `+channel); err != nil {
		return
	}
	held := false
	for e.wake(); ctx.Err() == nil && !c.IsClosed(); e.wake() {
		if !held { // the server may not have noticed yet that the connection before is gone
			if err := c.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, $2)`, places, int32(e.place)).Scan(&held); err != nil {
				return
			}
		}
		nap, cancel := context.WithTimeout(ctx, poll)
		_, err := c.WaitForNotification(nap)
		napped := nap.Err() != nil
		cancel()
		if err != nil && !napped {
			return
		}
	}
}
