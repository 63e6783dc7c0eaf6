package compile_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"gatehouse"
	"gatehouse/control/compile"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// reads counts the records that are read by key.
type reads struct {
	store.DB
	keys []string
}

func (r *reads) GetMany(ctx context.Context, keys []string) (map[string]store.Record, error) {
	r.keys = append(r.keys, keys...)
	return r.DB.GetMany(ctx, keys)
}

// A framework version that comes in force leaves the attestations of thousands as
// they lie; one that is withdrawn takes those back that rest on it.
func TestAttestationsAreLookedAtAgainOnlyWhenOneIsWithdrawn(t *testing.T) {
	db := &reads{DB: memory.New()}
	put := func(key, kind, value string) {
		write(t, db.DB, []store.Write{{Key: key, Kind: kind, Value: []byte(value), Expect: store.Any}})
	}
	state := func(first, second string) string {
		return fmt.Sprintf(`{"inForce":"2","governed":"2026-01-01T00:00:00Z","versions":{"1":{"state":%q},"2":{"state":%q}}}`, first, second)
	}
	put("Environment/prod", "Environment", `{"object":{"spec":{"stage":"prod"}}}`)
	put("Backend/a/x", "Backend", `{"object":{"spec":{"environments":{"prod":{"targets":[{"url":"http://127.0.0.1:1"}]}}}}}`)
	put("Revision/a/x/v1/1", "Revision", `{"hash":"1","form":{"team":"a","name":"x","version":{"name":"v1","path":"/x","backend":"x"}}}`)
	put("Release/prod/a/x/v1", "Release", `{"revision":"1"}`)
	proof := gatehouse.AttestationKey("prod", "a", "x", "v1", "1")
	put(proof, "Attestation", `{"statement":{"format":"gatehouse/attestation/1","framework":"f","frameworkVersion":"1"},"keyId":"k"}`)
	put(gatehouse.FrameworkStateKey("f"), "FrameworkState", state("in-force", "approved"))
	s := compile.New(db)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, state string
		again       bool
	}{
		{"another in force", state("superseded", "in-force"), false},
		{"this one withdrawn", state("withdrawn", "in-force"), true},
	}
	for _, tt := range tests {
		db.keys = nil
		put(gatehouse.FrameworkStateKey("f"), "FrameworkState", tt.state)
		changes, upTo, err := db.Changes(t.Context(), s.Seq(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Apply(t.Context(), changes, upTo); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(db.keys, proof) != tt.again {
			t.Errorf("%s: read %q, want the attestation among them: %t", tt.name, db.keys, tt.again)
		}
	}
}
