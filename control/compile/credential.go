package compile

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/snapshot"
)

// storedSubscription is what counts of a subscription's record.
type storedSubscription struct {
	Object struct {
		Spec struct{ Application, Product, Plan, Environment string } `json:"spec"`
	} `json:"object"`
	Status struct {
		State   string    `json:"state"`
		Expires time.Time `json:"expires"`
	} `json:"status"`
}

func (s *State) ingestSubscription(name string, value []byte) {
	next := subscription{name: name}
	// Of a million records only what counts is read, and each once.
	var stored storedSubscription
	if value != nil && json.Unmarshal(value, &stored) == nil {
		spec, status := &stored.Object.Spec, &stored.Status
		team, _, _ := strings.Cut(name, "/")
		next.application = s.ring.intern(qualify(spec.Application, team))
		next.product = s.ring.intern(qualify(spec.Product, team))
		next.plan = s.ring.intern(spec.Plan)
		next.env = s.ring.intern(spec.Environment)
		next.live = status.State == gatehouse.Approved
		next.expires = unix(status.Expires)
	} else if _, known := s.ring.byName[name]; !known {
		return
	}
	s.ring.putSubscription(next, s.mark)
}

// storedKey is what counts of a key's record.
type storedKey struct {
	Subscription, Hash, Tail string
	Expires, Revoked         time.Time
}

func (s *State) ingestKey(at string, value []byte) {
	id := strings.TrimPrefix(at, string(gatehouse.KindKey)+"/")
	var k storedKey
	var next key
	ok := false
	if value != nil && json.Unmarshal(value, &k) == nil && k.Revoked.IsZero() {
		raw, err := base64.RawURLEncoding.DecodeString(k.Hash)
		if ok = err == nil && len(raw) == len(next.hash); ok {
			next.hash, next.expires = snapshot.Credential(raw), unix(k.Expires)
		}
		if len(k.Tail) == len(next.tail) {
			next.tail = tail([]byte(k.Tail))
		}
	}
	if !ok {
		k.Subscription = ""
	}
	s.ring.putKey(id, next, k.Subscription, s.mark)
}

func (s *State) ingestApplication(name string, value []byte) {
	var spec gatehouse.Application
	if value == nil || decodeSpec(value, &spec, nil) != nil {
		spec = gatehouse.Application{}
	}
	var clients []snapshot.Credential
	for _, c := range spec.Clients {
		clients = append(clients, snapshot.ClientCredential(c.Issuer, c.ClientID))
	}
	s.ring.putClients(name, clients, s.mark)
}

// qualify writes a reference with its team.
func qualify(ref, team string) string {
	t, n := gatehouse.ParseRef(ref, team)
	return t + "/" + n
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
