package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// A reservation is one request's hold on the slot of its Idempotency-Key. The
// write that says it was carried out goes with the change, and expects the slot
// as this request left it: whoever has lost the slot changes nothing.
type reservation struct {
	slot string

	mu  sync.Mutex // guards what follows
	rev store.Seq
	remembered
}

// write is what goes with a change of the request.
func (r *reservation) write() (store.Write, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.remembered
	m.Done = true
	return m.write(r.slot, r.rev)
}

// wrote notes that it went.
func (r *reservation) wrote(seq store.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rev, r.Done = seq, true
}

func (m *remembered) write(slot string, expect store.Seq) (store.Write, error) {
	value, err := json.Marshal(m)
	return store.Write{Key: slot, Kind: kindIdempotency, Value: value, Expect: expect, Index: map[string]string{"day": m.Time.Format(time.DateOnly)}}, err
}

// put writes the reservation as it stands.
func (s *Server) put(ctx context.Context, r *reservation) error {
	w, err := r.remembered.write(r.slot, r.rev)
	if err == nil {
		r.rev, err = s.DB.Apply(ctx, store.Batch{Writes: []store.Write{w}})
	}
	return err
}

// claim takes the slot, or returns what is in it.
func (s *Server) claim(ctx context.Context, slot string, mine remembered) (*reservation, *remembered, error) {
	r := &reservation{slot: slot, remembered: mine}
	if rec, err := s.DB.Get(ctx, slot); err == nil {
		var earlier remembered
		if err := json.Unmarshal(rec.Value, &earlier); err != nil {
			return nil, nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", slot, err)
		}
		if mine.Time.Sub(earlier.Time) < idempotencyTime && !s.dead(ctx, &earlier) {
			return nil, &earlier, nil
		}
		r.rev = rec.Rev
	} else if !gatehouse.Is(err, gatehouse.NotFound) {
		return nil, nil, err
	}
	err := s.put(ctx, r)
	if gatehouse.Is(err, gatehouse.Conflict) {
		return nil, &mine, nil // another was quicker and is under way
	}
	return r, nil, err
}

// dead reports whether a reservation will come to nothing: its process began it
// and goes no longer on with it, or has ended, or has not been quick.
func (s *Server) dead(ctx context.Context, m *remembered) bool {
	if m.Done {
		return false
	}
	age := time.Since(m.Time)
	return m.By == s.process || s.Alone || age > lease || age > settling && store.Gone(ctx, s.DB, enrolled(m.By))
}

// processName names a process among those of the database, with its name on the
// store's roll where there is one.
func processName(db store.DB) string { return rand.Text() + "." + store.Process(db) }

// enrolled is the name on the roll.
func enrolled(process string) string {
	_, name, _ := strings.Cut(process, ".")
	return name
}

// patience is how long whoever repeats a request that is under way should wait
// before asking again.
func (s *Server) patience(m *remembered) time.Duration {
	most := lease
	switch {
	case m.By == s.process:
		most = 0
	case enrolled(m.By) != "":
		most = settling
	}
	return max(time.Second, most-time.Since(m.Time)+time.Second)
}
