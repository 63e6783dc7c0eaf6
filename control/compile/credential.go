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

// read takes the record; false when it is none.
func (r *storedSubscription) read(value []byte) bool {
	if r.quick(value) {
		return true
	}
	*r = storedSubscription{}
	return json.Unmarshal(value, r) == nil
}

func (r *storedSubscription) quick(value []byte) bool {
	p := quick{rest: value, ok: true}
	spec := func(name []byte) {
		switch string(name) {
		case "application":
			r.Object.Spec.Application = string(p.text())
		case "product":
			r.Object.Spec.Product = string(p.text())
		case "plan":
			r.Object.Spec.Plan = string(p.text())
		case "environment":
			r.Object.Spec.Environment = string(p.text())
		default:
			p.skip()
		}
	}
	object := func(name []byte) {
		if string(name) == "spec" {
			p.object(spec, "application", "product", "plan", "environment")
		} else {
			p.skip()
		}
	}
	status := func(name []byte) {
		switch string(name) {
		case "state":
			r.Status.State = string(p.text())
		case "expires":
			r.Status.Expires = p.time()
		default:
			p.skip()
		}
	}
	p.object(func(name []byte) {
		switch string(name) {
		case "object":
			p.object(object, "spec")
		case "status":
			p.object(status, "state", "expires")
		default:
			p.skip()
		}
	}, "object", "status")
	return p.end()
}

func (s *State) ingestSubscription(name string, value []byte) {
	next := subscription{name: name}
	// Of a million records only what counts is read, and each once.
	var stored storedSubscription
	if value != nil && stored.read(value) {
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

func (k *storedKey) read(value []byte) bool {
	if k.quick(value) {
		return true
	}
	*k = storedKey{}
	return json.Unmarshal(value, k) == nil
}

func (k *storedKey) quick(value []byte) bool {
	p := quick{rest: value, ok: true}
	p.object(func(name []byte) {
		switch string(name) {
		case "subscription":
			k.Subscription = string(p.text())
		case "hash":
			k.Hash = string(p.text())
		case "tail":
			k.Tail = string(p.text())
		case "expires":
			k.Expires = p.time()
		case "revoked":
			k.Revoked = p.time()
		default:
			p.skip()
		}
	}, "subscription", "hash", "tail", "expires", "revoked")
	return p.end()
}

func (s *State) ingestKey(at string, value []byte) {
	id := strings.TrimPrefix(at, string(gatehouse.KindKey)+"/")
	var k storedKey
	var next key
	ok := false
	if value != nil && k.read(value) && k.Revoked.IsZero() {
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
