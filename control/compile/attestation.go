package compile

import (
	"context"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/attest"
	"gatehouse/snapshot"
)

// governed tells whether any framework is, or ever was, in force.
func (s *State) governed() bool {
	for _, f := range s.model.standings {
		if !f.Governed.IsZero() {
			return true
		}
	}
	return false
}

// touchGates marks what depends on whether any framework is in force: the first
// one turns the gate on where stages demand it.
func (s *State) touchGates() {
	for env := range s.model.envs {
		s.touchGate(env)
	}
}

// gateMode is what gateways of the environment are told about the gate: "" when
// they are to look at nothing. Before any framework was in force there is
// nothing to report, unless the environment asks for it.
func (s *State) gateMode(env string) string {
	e := s.model.envs[env]
	if e == nil {
		return ""
	}
	governed := s.governed()
	if mode := e.GateMode(governed); mode == gatehouse.GateEnforce || mode == gatehouse.GateReport && (governed || e.Gate != nil && e.Gate.Mode != "") {
		return mode
	}
	return ""
}

// touchGate marks what depends on the environment's mode.
func (s *State) touchGate(env string) {
	s.mark(chunkID{env, snapshot.KindEnvironment, env})
	for id := range s.model.releases[env] {
		s.mark(chunkID{env, snapshot.KindAttestation, id})
	}
	for id := range s.model.canaries[env] {
		s.mark(chunkID{env, snapshot.KindCanary, id})
	}
}

func (s *State) attestationKey(env, id string) string {
	ref, version, _ := strings.Cut(id, "@")
	team, name, _ := strings.Cut(ref, "/")
	return gatehouse.AttestationKey(env, team, name, version, s.model.releases[env][id])
}

// attested tells whether an attestation may go out to gateways: it is of the
// revision that is live. What it says beside that they check themselves.
func (s *State) attested(id chunkID) bool {
	return s.model.releases[id.env][id.name] != "" && s.gateMode(id.env) != ""
}

// compileAttestations makes the chunks of attestations of live revisions.
func (s *State) compileAttestations(ctx context.Context, ids []chunkID, changed map[string]struct{}) error {
	keys, records := make([]string, 0, len(ids)), map[string]*gatehouse.Attested{}
	for _, id := range ids {
		keys = append(keys, s.attestationKey(id.env, id.name))
	}
	if err := read(ctx, s.db, keys, records); err != nil {
		return err
	}
	for _, id := range ids {
		key := s.attestationKey(id.env, id.name)
		uses, a := []string{key}, records[key]
		if a != nil && a.Statement.Framework != "" {
			uses = append(uses, withdrawals(a.Statement.Framework))
		}
		var data []byte
		var hash snapshot.Hash
		var err error
		if a = s.inGoodStanding(a); a != nil {
			data, hash, err = snapshot.Encode(a.Attestation)
		}
		s.set(id, data, hash, uses, err, changed)
	}
	return nil
}

// inGoodStanding is nil for an attestation that was taken back, by itself or
// with the framework version that it rests on.
func (s *State) inGoodStanding(a *gatehouse.Attested) *gatehouse.Attested {
	if a == nil || !a.Revoked.IsZero() || a.Statement.Format != attest.Format {
		return nil
	}
	if f := s.model.standings[a.Statement.Framework]; f != nil && f.Versions[a.Statement.FrameworkVersion].State == gatehouse.Withdrawn {
		return nil
	}
	return a
}

// withdrawals is what an attestation uses of where a framework's versions
// stand: it is no record's key, so that one that comes in force has thousands of
// attestations lie as they are.
func withdrawals(framework string) string {
	return gatehouse.FrameworkStateKey(framework) + "#withdrawn"
}

// withdrawn are the versions of a framework that were withdrawn, sorted.
func withdrawn(f *gatehouse.FrameworkState) (versions []string) {
	if f == nil {
		return nil
	}
	for name, v := range f.Versions {
		if v.State == gatehouse.Withdrawn {
			versions = append(versions, name)
		}
	}
	slices.Sort(versions)
	return versions
}
