package compile

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/snapshot"
	"gatehouse/store"
)

// A model is what the State keeps of records that are not credentials, read
// once from JSON.
type model struct {
	envs       map[string]*gatehouse.Environment
	frameworks map[string]*gatehouse.Framework
	standings  map[string]*gatehouse.FrameworkState // of frameworks, by name
	texts      map[string]*gatehouse.FrameworkText  // of their versions, by hash
	sets       map[string]*gatehouse.PolicySet
	backends   map[string]*gatehouse.Backend
	products   map[string]*gatehouse.Product
	// releases: environment, then "team/name@version", to the live revision.
	releases map[string]map[string]string
	// canaries: environment, then "team/name@version", to what stands beside.
	canaries map[string]map[string]*gatehouse.Canary
	// bundles: "team/name" of an API to the products that name it.
	bundles map[string]map[string]struct{}
}

func newModel() model {
	return model{
		envs: map[string]*gatehouse.Environment{}, frameworks: map[string]*gatehouse.Framework{}, sets: map[string]*gatehouse.PolicySet{},
		standings: map[string]*gatehouse.FrameworkState{}, texts: map[string]*gatehouse.FrameworkText{},
		backends: map[string]*gatehouse.Backend{}, products: map[string]*gatehouse.Product{},
		releases: map[string]map[string]string{}, canaries: map[string]map[string]*gatehouse.Canary{}, bundles: map[string]map[string]struct{}{},
	}
}

// kinds are the kinds of records a State is made of, in the order [State.Load]
// reads them.
var kinds = []gatehouse.Kind{
	gatehouse.KindEnvironment, gatehouse.KindGateway, gatehouse.KindFramework, gatehouse.KindFrameworkState, gatehouse.KindFrameworkText, gatehouse.KindPolicySet, gatehouse.KindBackend,
	gatehouse.KindProduct, gatehouse.KindApplication, gatehouse.KindSubscription, gatehouse.KindKey, gatehouse.KindRelease,
}

// ingest takes one change into the model and marks the chunks it touches. A
// record that cannot be read counts as deleted: what is not understood is not
// served.
func (s *State) ingest(c *store.Change) {
	kind, name, _ := strings.Cut(c.Key, "/")
	value := c.Value
	if c.Deleted {
		value = nil
	}
	switch gatehouse.Kind(kind) {
	case gatehouse.KindEnvironment:
		put(s.model.envs, name, value)
		s.touchEnvironment(name)
	case gatehouse.KindGateway:
		s.gates.Lock()
		put(s.gateways, name, value)
		s.gates.Unlock()
	case gatehouse.KindFramework:
		put(s.model.frameworks, name, value)
		s.touch(c.Key)
	case gatehouse.KindFrameworkState:
		governed, was := s.governed(), s.model.standings[name]
		plain(s.model.standings, name, value)
		s.touch(c.Key)
		if !slices.Equal(withdrawn(was), withdrawn(s.model.standings[name])) {
			s.touch(withdrawals(name))
		}
		if s.governed() != governed {
			s.touchGates()
		}
	case gatehouse.KindFrameworkText:
		plain(s.model.texts, name, value)
		s.touch(c.Key)
	case gatehouse.KindPolicySet:
		put(s.model.sets, name, value)
		s.touch(c.Key)
	case gatehouse.KindBackend:
		put(s.model.backends, name, value)
		s.touch(c.Key)
	case gatehouse.KindProduct:
		s.ingestProduct(name, value)
	case gatehouse.KindApplication:
		s.ingestApplication(name, value)
	case gatehouse.KindSubscription:
		s.ingestSubscription(name, value)
	case gatehouse.KindKey:
		s.ingestKey(c.Key, value)
	case gatehouse.KindRelease:
		s.ingestRelease(c.Key, name, value)
	default:
		s.touch(c.Key) // an attestation, or a revision or operations that were missing
	}
}

// plain decodes a record that is no document into the map, or removes the name.
func plain[T any](m map[string]*T, name string, value []byte) {
	v := new(T)
	if value == nil || json.Unmarshal(value, v) != nil {
		delete(m, name)
		return
	}
	m[name] = v
}

// put decodes a Stored's spec into the map, or removes the name.
func put[T any](m map[string]*T, name string, value []byte) {
	spec := new(T)
	if value == nil || decodeSpec(value, spec, nil) != nil {
		delete(m, name)
		return
	}
	m[name] = spec
}

// decodeSpec reads the spec of a Stored, and its status when asked.
func decodeSpec(value []byte, spec, status any) error {
	var stored gatehouse.Stored
	if err := json.Unmarshal(value, &stored); err != nil {
		return err
	}
	object := struct {
		Spec any `json:"spec"`
	}{spec}
	if err := json.Unmarshal(stored.Object, &object); err != nil {
		_, misfit := errors.AsType[*json.UnmarshalTypeError](err)
		if _, ok := spec.(*gatehouse.Framework); !misfit || !ok {
			return err // a framework of before its types is read as far as it fits
		}
	}
	if status != nil && len(stored.Status) > 0 {
		return json.Unmarshal(stored.Status, status)
	}
	return nil
}

// touchEnvironment marks all chunks of an environment that came, changed or
// went; only credentials do not depend on it once it is there.
func (s *State) touchEnvironment(name string) {
	s.touchGate(name)
	for api := range s.model.releases[name] {
		s.mark(chunkID{name, "api", api})
	}
	for api := range s.model.canaries[name] {
		s.mark(chunkID{name, snapshot.KindCanary, api})
	}
	for product := range s.model.products {
		s.mark(chunkID{name, "product", product})
	}
	if s.envs[name] == nil || s.model.envs[name] == nil {
		for _, id := range s.ring.shardsOf(name) {
			s.mark(id)
		}
	}
}

func (s *State) ingestRelease(key, name string, value []byte) {
	env, ref, _ := strings.Cut(name, "/")
	i := strings.LastIndexByte(ref, '/')
	if i < 0 {
		return
	}
	api, id := ref[:i], ref[:i]+"@"+ref[i+1:]
	var r gatehouse.Release
	if value != nil && json.Unmarshal(value, &r) != nil {
		r = gatehouse.Release{}
	}
	live := s.model.releases[env]
	if live == nil {
		live = map[string]string{}
		s.model.releases[env] = live
	}
	_, was := live[id]
	if r.Revision == "" {
		delete(live, id)
	} else {
		live[id] = r.Revision
	}
	s.ingestCanary(env, id, r.Canary)
	s.mark(chunkID{env, "api", id})
	s.mark(chunkID{env, snapshot.KindAttestation, id})
	s.touch(key)
	if _, is := live[id]; is != was {
		for product := range s.model.bundles[api] {
			s.mark(chunkID{env, "product", product})
		}
	}
}

func (s *State) ingestProduct(name string, value []byte) {
	team, _, _ := strings.Cut(name, "/")
	each := func(do func(api string)) {
		if p := s.model.products[name]; p != nil {
			for _, ref := range p.APIs {
				t, n, _, _ := gatehouse.ParseVersionRef(ref, team)
				do(t + "/" + n)
			}
		}
	}
	each(func(api string) { delete(s.model.bundles[api], name) })
	put(s.model.products, name, value)
	each(func(api string) {
		if s.model.bundles[api] == nil {
			s.model.bundles[api] = map[string]struct{}{}
		}
		s.model.bundles[api][name] = struct{}{}
	})
	for env := range s.model.envs {
		s.mark(chunkID{env, "product", name})
	}
}
