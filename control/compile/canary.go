package compile

import (
	"context"
	"strings"

	"gatehouse"
	"gatehouse/snapshot"
)

// ingestCanary takes what stands beside a live revision; nil when nothing does.
func (s *State) ingestCanary(env, id string, c *gatehouse.Canary) {
	beside := s.model.canaries[env]
	if c == nil || c.Revision == "" {
		if beside[id] != nil {
			delete(beside, id)
			s.mark(chunkID{env, snapshot.KindCanary, id})
		}
		return
	}
	if beside == nil {
		beside = map[string]*gatehouse.Canary{}
		s.model.canaries[env] = beside
	}
	beside[id] = c
	s.mark(chunkID{env, snapshot.KindCanary, id})
}

// BoundName is the name under which a [View]'s Bound has a chunk of an API
// version: a canary may be bound otherwise than what it stands beside.
func BoundName(kind, name string) string {
	if kind == snapshot.KindCanary {
		return kind + " " + name
	}
	return name
}

// wanted is the revision that a chunk is of, "" for none, or for a kind that is
// of no revision.
func (s *State) wanted(id chunkID) string {
	switch id.kind {
	case snapshot.KindAPI:
		return s.model.releases[id.env][id.name]
	case snapshot.KindCanary:
		if c := s.model.canaries[id.env][id.name]; c != nil {
			return c.Revision
		}
	}
	return ""
}

// wantedKey is where that revision lies.
func (s *State) wantedKey(id chunkID) string {
	api, version, _ := strings.Cut(id.name, "@")
	return string(gatehouse.KindRevision) + "/" + api + "/" + version + "/" + s.wanted(id)
}

func (s *State) canaryProofKey(id chunkID) string {
	ref, version, _ := strings.Cut(id.name, "@")
	team, name, _ := strings.Cut(ref, "/")
	return gatehouse.AttestationKey(id.env, team, name, version, s.wanted(id))
}

// canaryProofs reads the attestations of those of ids that are canaries, where
// the environment's gate asks for them.
func (s *State) canaryProofs(ctx context.Context, ids []chunkID) (map[string]*gatehouse.Attested, error) {
	var keys []string
	for _, id := range ids {
		if id.kind == snapshot.KindCanary && s.gateMode(id.env) != "" {
			keys = append(keys, s.canaryProofKey(id))
		}
	}
	proofs := map[string]*gatehouse.Attested{}
	return proofs, read(ctx, s.db, keys, proofs)
}

// canary makes the chunk of a canary and tells the records it took beside those
// of its API.
func (s *State) canary(id chunkID, api *snapshot.API, proofs map[string]*gatehouse.Attested) (data []byte, hash snapshot.Hash, uses []string, err error) {
	chunk := snapshot.Canary{Weight: s.model.canaries[id.env][id.name].Weight(), API: *api}
	if s.gateMode(id.env) != "" {
		key := s.canaryProofKey(id)
		uses = append(uses, key)
		a := proofs[key]
		if a != nil && a.Statement.Framework != "" {
			uses = append(uses, withdrawals(a.Statement.Framework))
		}
		if a = s.inGoodStanding(a); a != nil {
			if chunk.Attestation, _, err = snapshot.Encode(a.Attestation); err != nil {
				return nil, hash, uses, err
			}
		}
	}
	data, hash, err = snapshot.Encode(&chunk)
	return data, hash, uses, err
}
