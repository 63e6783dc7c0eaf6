package compile

import (
	"context"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// pageSize is how many records one read of the database brings.
const pageSize = 5000

// recent is how many batches before the head are looked at for their time.
const recent = 64

// LoadGateways reads which gateways there are, so that they are known before
// [State.Load] has read the rest.
func (s *State) LoadGateways(ctx context.Context) error {
	_, err := s.loadKind(ctx, gatehouse.KindGateway)
	return err
}

// Load reads the store whole and compiles everything. Records may change while
// it reads: it then takes the changes since it began until all it has read is
// of one state. While it reads the State answers, but for its gateways it has
// nothing yet; Apply is for after it.
func (s *State) Load(ctx context.Context) error {
	s.clear()
	head, err := s.db.Head(ctx)
	if err != nil {
		return fmt.Errorf("loading configuration: %w", err)
	}
	latest := head.Seq
	for _, kind := range kinds {
		load := s.loadKind
		if kind == gatehouse.KindSubscription || kind == gatehouse.KindKey { // of which there may be a million
			load = s.loadAll
		}
		seen, err := load(ctx, kind)
		if err != nil {
			return err
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
		if t := s.takeAll(changes, head.Seq); t.After(clock) {
			clock = t
		}
		if upTo <= at {
			return fmt.Errorf("loading changes after %d: the store is at %d but has none", at, latest)
		}
		at, latest = upTo, max(latest, upTo)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(clock)
	if _, err = s.compileDirty(ctx); err != nil {
		return err
	}
	s.seq.Store(max(s.seq.Load(), int64(latest)))
	return nil
}

// takeAll takes changes of which those up to seq have been read as records: of
// them only the time counts.
func (s *State) takeAll(changes []store.Change, seq store.Seq) (latest time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := 0
	for known < len(changes) && changes[known].Seq <= seq {
		if t := changes[known].Time; t.After(latest) {
			latest = t
		}
		known++
	}
	if t := s.take(changes[known:]); t.After(latest) {
		latest = t
	}
	return latest
}

// loadKind reads the records of one kind, in order.
func (s *State) loadKind(ctx context.Context, kind gatehouse.Kind) (store.Seq, error) {
	return s.read(ctx, kind, s.pages)
}

// loadAll reads the records of one kind in the order in which they come quickest.
func (s *State) loadAll(ctx context.Context, kind gatehouse.Kind) (store.Seq, error) {
	return s.read(ctx, kind, s.heap)
}

// read takes pages of records in. While one is taken in the next one is read.
func (s *State) read(ctx context.Context, kind gatehouse.Kind, from func(context.Context, string, chan<- store.Page) error) (seen store.Seq, err error) {
	ctx, cancel := context.WithCancel(ctx)
	pages, failed := make(chan store.Page, 1), make(chan error, 1)
	go func() {
		defer close(pages)
		failed <- from(ctx, string(kind), pages)
	}()
	for page := range pages {
		s.mu.Lock()
		for i := range page.Records {
			s.ingest(&store.Change{Seq: page.Records[i].Rev, Record: page.Records[i]})
		}
		s.mu.Unlock()
		seen = max(seen, page.Seq)
	}
	cancel()
	if err := <-failed; err != nil {
		return seen, fmt.Errorf("loading every %s: %w", kind, err)
	}
	return seen, nil
}

func (s *State) pages(ctx context.Context, kind string, to chan<- store.Page) error {
	for q := (store.Query{Kind: kind, Limit: pageSize}); ; {
		page, err := s.db.List(ctx, q)
		if err != nil {
			return err
		}
		to <- page // loadKind reads to the end
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// heap reads records as they lie in the store. The last page tells a state that
// all of them were in at the latest.
func (s *State) heap(ctx context.Context, kind string, to chan<- store.Page) error {
	var page store.Page
	for r, err := range s.db.All(ctx, kind) {
		if err != nil {
			return err
		}
		if page.Records = append(page.Records, r); len(page.Records) == pageSize {
			to <- page // read takes all
			page.Records = make([]store.Record, 0, pageSize)
		}
	}
	head, err := s.db.Head(ctx)
	if err != nil {
		return err
	}
	page.Seq = head.Seq
	to <- page
	return nil
}
