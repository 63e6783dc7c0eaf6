// Package compile turns records into what gateways need (DESIGN 7.2): one
// chunk for each released API version of an environment, one for each product,
// one for each shard of credentials, one for the environment.
//
// [API], [Product] and [Environment] are pure functions: same records, same
// bytes. A [State] feeds them: it takes the store's changes batch by batch,
// knows which chunk depends on which record, and compiles again only what a
// change touches. What cannot be compiled is set aside alone, with a reason.
//
// The package decides nothing that governance decides, checks no policy's
// configuration (it was checked when it was applied) and signs and sends
// nothing: package fleet does.
package compile

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/report"
	"gatehouse/snapshot"
	"gatehouse/store"
)

// A Reader is the part of a store that a State reads.
type Reader interface {
	GetMany(ctx context.Context, keys []string) (map[string]store.Record, error)
	List(ctx context.Context, q store.Query) (store.Page, error)
	All(ctx context.Context, kind string) iter.Seq2[store.Record, error]
	Changes(ctx context.Context, after store.Seq, limit int) ([]store.Change, store.Seq, error)
	Head(ctx context.Context) (store.Head, error)
}

// A State is all chunks of all environments as of one batch of the store. It
// is safe for several goroutines; what it holds of revisions and operations is
// only their chunks.
type State struct {
	db  Reader
	seq atomic.Int64

	gates    sync.RWMutex // guards gateways, which are asked for while all else is read or compiled
	gateways map[string]*gatehouse.Gateway

	mu    sync.RWMutex // guards what follows
	clock int64        // Unix seconds: what expired before is left out
	model model
	ring  ring
	envs  map[string]*environment
	dirty map[chunkID]struct{}
	uses  map[string]map[chunkID]struct{} // record key to the chunks made from it
	built map[chunkID][]string            // and back
}

// A chunkID names a chunk within the State.
type chunkID struct{ env, kind, name string }

// An environment is one environment's chunks.
type environment struct {
	chunks map[chunkID]chunk
	asides map[string]report.Refusal
	// bound is where the data of API versions must stay, for those that say so;
	// views share it, and so it is copied before it changes.
	bound  map[string][]string
	shared bool
	view   *View // nil after a change
	// entries are those of the view made last, and stale the chunks that are not
	// as they stand there: one change among ten thousand sorts nothing.
	entries []snapshot.Entry
	stale   map[chunkID]struct{}
}

type chunk struct {
	hash snapshot.Hash
	data []byte // nil for credentials, which are made when asked for
}

// A View is one environment's manifest without a gateway's name: shared by all
// who read it, never changed.
type View struct {
	Environment string
	Seq         store.Seq
	Entries     []snapshot.Entry // in the order of Entry.Compare
	Sum         snapshot.Hash    // snapshot.SumEntries of them
	Aside       []report.Refusal // API versions that could not be compiled
	// Bound names the jurisdictions that an API version's data may not leave, by
	// its id, for those whose data is bound.
	Bound map[string][]string
}

// New is an empty State that reads db.
func New(db Reader) *State {
	s := &State{db: db}
	s.clear()
	return s
}

func (s *State) clear() {
	s.gates.Lock()
	s.gateways = map[string]*gatehouse.Gateway{}
	s.gates.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq.Store(0)
	s.clock, s.model, s.ring, s.envs = 0, newModel(), newRing(), map[string]*environment{}
	s.dirty, s.uses, s.built = map[chunkID]struct{}{}, map[string]map[chunkID]struct{}{}, map[chunkID][]string{}
}

// Seq is the batch that the State stands at.
func (s *State) Seq() store.Seq { return store.Seq(s.seq.Load()) }

// Apply takes the changes of whole batches up to seq and compiles what they
// touch. It returns the environments whose content changed. After an error,
// which only the database can cause, what was not compiled is still due: the
// next call, with or without changes, does it.
func (s *State) Apply(ctx context.Context, changes []store.Change, seq store.Seq) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.take(changes))
	changed, err := s.compileDirty(ctx)
	s.seq.Store(max(s.seq.Load(), int64(seq)))
	return changed, err
}

// take puts changes into the model and tells the latest of their times.
func (s *State) take(changes []store.Change) (latest time.Time) {
	for i := range changes {
		s.ingest(&changes[i])
		if t := changes[i].Time; t.After(latest) {
			latest = t
		}
	}
	return latest
}

// advance moves the clock to the hour of t. The clock is that of the records,
// so that two processes that read the same records make the same chunks; a
// gateway itself refuses what has expired, to the second.
func (s *State) advance(t time.Time) {
	hour := t.UTC().Truncate(time.Hour).Unix()
	if hour <= s.clock || t.IsZero() {
		return
	}
	for _, id := range s.ring.expiredBetween(s.clock, hour) {
		s.mark(id)
	}
	s.clock = hour
}

func (s *State) mark(id chunkID) {
	if id.env != "" {
		s.dirty[id] = struct{}{}
	}
}

// touch marks every chunk that was made from the record at key.
func (s *State) touch(key string) {
	for id := range s.uses[key] {
		s.mark(id)
	}
}

// View is the environment's manifest as it stands; nil when there is no such
// environment.
func (s *State) View(env string) *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.envs[env]
	if e == nil || s.model.envs[env] == nil {
		return nil
	}
	if e.view == nil {
		v := &View{Environment: env, Seq: s.Seq(), Entries: e.list()}
		v.Sum = snapshot.SumEntries(v.Entries)
		v.Aside = slices.SortedFunc(maps.Values(e.asides), func(a, b report.Refusal) int { return strings.Compare(a.API, b.API) })
		v.Bound, e.shared = e.bound, true
		e.view = v
	}
	return e.view
}

// list is all entries in order. What it returned is never changed.
func (e *environment) list() []snapshot.Entry {
	if len(e.stale) == 0 {
		return e.entries
	}
	var changed, removed []snapshot.Entry
	for id := range e.stale {
		entry := snapshot.Entry{Kind: id.kind, Name: id.name}
		if c, ok := e.chunks[id]; ok {
			entry.Hash = c.hash
			changed = append(changed, entry)
		} else if _, was := slices.BinarySearchFunc(e.entries, entry, snapshot.Entry.Compare); was {
			removed = append(removed, entry)
		}
	}
	slices.SortFunc(changed, snapshot.Entry.Compare)
	slices.SortFunc(removed, snapshot.Entry.Compare)
	e.entries, e.stale = snapshot.Merge(e.entries, changed, removed), map[chunkID]struct{}{}
	return e.entries
}

// Chunk returns the bytes of the environment's chunk that e names, if it is
// still what the State holds under that name.
func (s *State) Chunk(env string, e snapshot.Entry) ([]byte, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	in := s.envs[env]
	if in == nil {
		return nil, false
	}
	c, ok := in.chunks[chunkID{env, e.Kind, e.Name}]
	if !ok || c.hash != e.Hash {
		return nil, false
	}
	if c.data != nil {
		return c.data, true
	}
	var data []byte
	var hash snapshot.Hash
	if e.Kind == snapshot.KindTails {
		data, hash = s.ring.tails(env, e.Name, s.clock)
	} else {
		data, hash = s.ring.shard(env, e.Name, s.clock)
	}
	return data, hash == e.Hash
}

// Environments are the names of all environments, sorted.
func (s *State) Environments() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.model.envs))
}

// Gateway is the gateway of that name, nil if there is none.
func (s *State) Gateway(name string) *gatehouse.Gateway {
	s.gates.RLock()
	defer s.gates.RUnlock()
	return s.gateways[name]
}

// Gateways are all gateways by name. The map is the caller's.
func (s *State) Gateways() map[string]*gatehouse.Gateway {
	s.gates.RLock()
	defer s.gates.RUnlock()
	return maps.Clone(s.gateways)
}

// JurisdictionOf is where a gateway lies, "" when nobody has said.
func (s *State) JurisdictionOf(g *gatehouse.Gateway) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return g.JurisdictionIn(s.model.envs[g.Environment])
}

// Release is the revision of the API version that is wanted in the environment,
// "" for none.
func (s *State) Release(env, id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.model.releases[env][id]
}
