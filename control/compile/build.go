package compile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/report"
	"gatehouse/snapshot"
	"gatehouse/store"
)

// batch is how many API chunks are compiled from one read of the database.
const batch = 256

// compileDirty makes every chunk that is due. Chunks are taken off the list
// only once they are made.
func (s *State) compileDirty(ctx context.Context) ([]string, error) {
	changed := map[string]struct{}{}
	due := slices.SortedFunc(maps.Keys(s.dirty), func(a, b chunkID) int {
		return cmp.Or(strings.Compare(a.env, b.env), strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name))
	})
	var apis, attestations []chunkID
	for _, id := range due {
		switch {
		case s.wanted(id) != "" && s.model.envs[id.env] != nil:
			apis = append(apis, id)
			continue
		case id.kind == snapshot.KindAttestation && s.attested(id):
			attestations = append(attestations, id)
			continue
		}
		data, hash, uses, err := s.make(id)
		s.set(id, data, hash, uses, err, changed)
	}
	for part := range slices.Chunk(apis, batch) {
		if err := s.compileAPIs(ctx, part, changed); err != nil {
			return slices.Sorted(maps.Keys(changed)), fmt.Errorf("compiling %d API versions: %w", len(apis), err)
		}
	}
	for part := range slices.Chunk(attestations, batch) {
		if err := s.compileAttestations(ctx, part, changed); err != nil {
			return slices.Sorted(maps.Keys(changed)), fmt.Errorf("compiling %d attestations: %w", len(attestations), err)
		}
	}
	for name := range s.envs {
		if s.model.envs[name] == nil {
			delete(s.envs, name)
		}
	}
	return slices.Sorted(maps.Keys(changed)), nil
}

// make compiles a chunk of any kind but API; no data means that there is none.
func (s *State) make(id chunkID) (data []byte, hash snapshot.Hash, uses []string, err error) {
	env := s.model.envs[id.env]
	if env == nil {
		return nil, hash, nil, nil
	}
	switch id.kind {
	case snapshot.KindEnvironment:
		data, hash, err = snapshot.Encode(Environment(id.name, env, s.gateMode(id.name)))
	case snapshot.KindCredentials:
		data, hash = s.ring.shard(id.env, id.name, s.clock)
	case snapshot.KindTails:
		data, hash = s.ring.tails(id.env, id.name, s.clock)
	case snapshot.KindProduct:
		p := s.model.products[id.name]
		if p == nil {
			return nil, hash, nil, nil
		}
		var made *snapshot.Product
		made, err = Product(id.name, p, s.model.releases[id.env], env.Variables, s.tracked(&uses))
		if err == nil && made != nil {
			data, hash, err = snapshot.Encode(made)
		}
	}
	return data, hash, uses, err
}

// tracked finds policy sets and notes each one asked for, there or not.
func (s *State) tracked(uses *[]string) func(string) ([]gatehouse.PolicyUse, bool) {
	return func(ref string) ([]gatehouse.PolicyUse, bool) {
		*uses = append(*uses, string(gatehouse.KindPolicySet)+"/"+ref)
		set := s.model.sets[ref]
		if set == nil {
			return nil, false
		}
		return set.Policies, true
	}
}

// set puts a chunk in place, or removes it, or sets it aside with err.
func (s *State) set(id chunkID, data []byte, hash snapshot.Hash, uses []string, err error, changed map[string]struct{}) {
	delete(s.dirty, id)
	e := s.envs[id.env]
	if e == nil {
		e = &environment{chunks: map[chunkID]chunk{}, asides: map[string]report.Refusal{}, stale: map[chunkID]struct{}{}}
		s.envs[id.env] = e
	}
	s.depend(id, uses)
	aside, wasAside := e.asides[id.kind+" "+id.name]
	if err != nil {
		next := report.Refusal{API: id.name, Revision: s.wanted(id), Reason: err.Error()}
		if id.kind != snapshot.KindAPI {
			next.API = id.kind + " " + id.name
		}
		data = nil
		if !wasAside || aside != next {
			e.asides[id.kind+" "+id.name], e.view = next, nil
			changed[id.env] = struct{}{}
		}
	} else if wasAside {
		delete(e.asides, id.kind+" "+id.name)
		e.view = nil
		changed[id.env] = struct{}{}
	}
	if data == nil {
		e.bind(id, nil)
	}
	old, had := e.chunks[id]
	switch {
	case data == nil && !had, data != nil && had && old.hash == hash:
		return
	case data == nil:
		delete(e.chunks, id)
	case id.kind == snapshot.KindCredentials, id.kind == snapshot.KindTails: // made again when asked for
		e.chunks[id] = chunk{hash: hash}
	default:
		e.chunks[id] = chunk{hash, data}
	}
	e.view = nil
	e.stale[id] = struct{}{}
	changed[id.env] = struct{}{}
}

// depend replaces the records that a chunk is made from.
func (s *State) depend(id chunkID, uses []string) {
	for _, key := range s.built[id] {
		delete(s.uses[key], id)
		if len(s.uses[key]) == 0 {
			delete(s.uses, key)
		}
	}
	if len(uses) == 0 {
		delete(s.built, id)
		return
	}
	slices.Sort(uses)
	s.built[id] = slices.Compact(uses)
	for _, key := range s.built[id] {
		if s.uses[key] == nil {
			s.uses[key] = map[chunkID]struct{}{}
		}
		s.uses[key][id] = struct{}{}
	}
}

// compileAPIs reads the revisions and operations of some API versions and
// compiles them.
func (s *State) compileAPIs(ctx context.Context, ids []chunkID, changed map[string]struct{}) error {
	revisions, err := s.revisions(ctx, ids)
	if err != nil {
		return err
	}
	operations, err := s.operations(ctx, revisions)
	if err != nil {
		return err
	}
	proofs, err := s.canaryProofs(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		key := s.wantedKey(id)
		rev := revisions[key]
		if rev == nil {
			s.set(id, nil, snapshot.Hash{}, []string{key}, fmt.Errorf("revision %q cannot be read", s.wanted(id)), changed)
			continue
		}
		in, uses := s.inputs(id, rev, revisions)
		in.Operations = operations[rev.Operations]
		if rev.Operations != "" && in.Operations == nil {
			s.set(id, nil, snapshot.Hash{}, append(uses(), "Operations/"+rev.Operations), fmt.Errorf("operations %q of the definition cannot be read", rev.Operations), changed)
			continue
		}
		made, err := API(in)
		var data []byte
		var hash snapshot.Hash
		also := uses()
		switch {
		case err != nil || made == nil:
		case id.kind == snapshot.KindCanary:
			var more []string
			data, hash, more, err = s.canary(id, made, proofs)
			also = append(also, more...)
		default:
			data, hash, err = snapshot.Encode(made)
		}
		s.set(id, data, hash, also, err, changed)
		if d := rev.Form.Data; data != nil && d != nil {
			s.envs[id.env].bind(id, d.Jurisdictions)
		} else {
			s.envs[id.env].bind(id, nil)
		}
	}
	return nil
}

// bind takes note of where an API version's data must stay. A revision says it
// and is part of the chunk, so that whatever changes here has changed a chunk.
func (e *environment) bind(id chunkID, jurisdictions []string) {
	name := BoundName(id.kind, id.name)
	if id.kind != snapshot.KindAPI && id.kind != snapshot.KindCanary || slices.Equal(e.bound[name], jurisdictions) {
		return
	}
	if e.shared || e.bound == nil {
		e.bound, e.shared = maps.Clone(e.bound), false
		if e.bound == nil {
			e.bound = map[string][]string{}
		}
	}
	if len(jurisdictions) == 0 {
		delete(e.bound, name)
	} else {
		e.bound[name] = jurisdictions
	}
}

var _ Reader = store.DB(nil)
