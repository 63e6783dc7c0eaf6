package compile

import (
	"context"
	"fmt"
	"time"

	"gatehouse/store"
)

// pageSize is how many records one read of the database brings.
const pageSize = 5000

// recent is how many batches before the head are looked at for their time.
const recent = 64

// Load reads the store whole and compiles everything. Records may change while
// it reads: it then takes the changes since it began until all it has read is
// of one state.
func (s *State) Load(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	head, err := s.db.Head(ctx)
	if err != nil {
		return fmt.Errorf("loading configuration: %w", err)
	}
	latest := head.Seq
	for _, kind := range kinds {
		seen, err := s.loadKind(ctx, string(kind))
		if err != nil {
			return fmt.Errorf("loading every %s: %w", kind, err)
		}
		latest = max(latest, seen)
	}
	// The last few changes before that are read for their time alone: it is
	// the clock of one who took them one by one.
	var clock time.Time
	for at := max(0, head.Seq-recent); at < latest; {
		changes, upTo, err := s.db.Changes(ctx, at, pageSize)
		if err != nil {
			return fmt.Errorf("loading changes after %d: %w", at, err)
		}
		if t := s.take(changes); t.After(clock) {
			clock = t
		}
		if upTo <= at {
			return fmt.Errorf("loading changes after %d: the store is at %d but has none", at, latest)
		}
		at, latest = upTo, max(latest, upTo)
	}
	s.advance(clock)
	s.seq = max(s.seq, latest)
	_, err = s.compileDirty(ctx)
	return err
}

func (s *State) loadKind(ctx context.Context, kind string) (seen store.Seq, err error) {
	for q := (store.Query{Kind: kind, Limit: pageSize}); ; {
		page, err := s.db.List(ctx, q)
		if err != nil {
			return seen, err
		}
		for i := range page.Records {
			s.ingest(&store.Change{Seq: page.Records[i].Rev, Record: page.Records[i]})
		}
		seen = max(seen, page.Seq)
		if page.Next == "" {
			return seen, nil
		}
		q.After = page.Next
	}
}
