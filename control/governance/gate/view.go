package gate

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/rule"
	"gatehouse/store"
)

// A View answers what is to be looked at: what the store has, or what a change
// that is being decided will leave there.
type View interface {
	// Object is the object at key; nil when there is none.
	Object(ctx context.Context, key string) (*gatehouse.Object, error)
	// Record is the JSON of any other record; nil when there is none.
	Record(ctx context.Context, key string) ([]byte, error)
	// Gateways are those of an environment, by name.
	Gateways(ctx context.Context, environment string) ([]*gatehouse.Object, error)
}

// A stored is the view of what the store has. It remembers what it read, so
// that many evaluations in a row read the same things once; it lives for one
// batch of them.
type stored struct {
	db       store.DB
	raw      map[string]store.Record
	objects  map[string]*gatehouse.Object
	gateways map[string][]*gatehouse.Object
}

func (g *Gate) stored() *stored {
	return &stored{db: g.db, raw: map[string]store.Record{}, objects: map[string]*gatehouse.Object{}, gateways: map[string][]*gatehouse.Object{}}
}

// load reads several records in one go.
func (s *stored) load(ctx context.Context, keys ...string) error {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { _, ok := s.raw[k]; return ok })
	for part := range slices.Chunk(keys, 500) {
		found, err := s.db.GetMany(ctx, part)
		if err != nil {
			return err
		}
		for _, k := range part {
			s.raw[k] = found[k] // the zero record for what is not there
		}
	}
	return nil
}

func (s *stored) Record(ctx context.Context, key string) ([]byte, error) {
	err := s.load(ctx, key)
	return s.raw[key].Value, err
}

func (s *stored) Object(ctx context.Context, key string) (*gatehouse.Object, error) {
	if o, ok := s.objects[key]; ok {
		return o, nil
	}
	value, err := s.Record(ctx, key)
	if err != nil {
		return nil, err
	}
	var o *gatehouse.Object
	if value != nil {
		if o, err = objectOf(key, value); err != nil {
			return nil, err
		}
	}
	s.objects[key] = o
	return o, nil
}

func objectOf(key string, value []byte) (*gatehouse.Object, error) {
	_, o, err := gatehouse.ReadStored(key, value)
	return o, err
}

func (s *stored) Gateways(ctx context.Context, environment string) ([]*gatehouse.Object, error) {
	if all, ok := s.gateways[environment]; ok {
		return all, nil
	}
	all := []*gatehouse.Object{}
	err := each(ctx, s.db, store.Query{Kind: string(gatehouse.KindGateway), Where: map[string]string{"environment": environment}}, func(r store.Record) error {
		o, err := objectOf(r.Key, r.Value)
		if err == nil {
			all = append(all, o)
		}
		return err
	})
	s.gateways[environment] = all
	return all, err
}

// gatewaysOf are gateways as rules ask for them, by name.
func gatewaysOf(all []*gatehouse.Object) []rule.Gateway {
	out := make([]rule.Gateway, 0, len(all))
	for _, o := range all {
		if spec, ok := o.Spec.(*gatehouse.Gateway); ok {
			out = append(out, rule.Gateway{Name: o.Metadata.Name, Gateway: spec})
		}
	}
	slices.SortFunc(out, func(a, b rule.Gateway) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// each goes through all records of a query, page by page.
func each(ctx context.Context, db store.DB, q store.Query, do func(store.Record) error) error {
	for q.Limit = 500; ; {
		page, err := db.List(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			if err := do(r); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// NoEnvironment is the error that there is no such environment; it names the one
// that was perhaps meant, or those there are.
func NoEnvironment(ctx context.Context, db store.DB, name string) error {
	var known []string
	prefix := gatehouse.Key(gatehouse.KindEnvironment, "", "")
	err := each(ctx, db, store.Query{Kind: string(gatehouse.KindEnvironment)}, func(r store.Record) error {
		known = append(known, strings.TrimPrefix(r.Key, prefix))
		return nil
	})
	if err != nil {
		return err
	}
	return gatehouse.E(gatehouse.NotFound, "there is no environment %q%s", name, gatehouse.OrThere(name, known))
}

// decode reads a record into v; false when there is none.
func decode(ctx context.Context, v View, key string, into any) (bool, error) {
	value, err := v.Record(ctx, key)
	if err != nil || value == nil {
		return false, err
	}
	if err := json.Unmarshal(value, into); err != nil {
		return false, gatehouse.E(gatehouse.Internal, "reading %q: %w", key, err)
	}
	return true, nil
}

// spec is the spec of an object, the zero pointer when it is not there.
func spec[T gatehouse.Spec](ctx context.Context, v View, key string) (T, error) {
	var none T
	o, err := v.Object(ctx, key)
	if err != nil || o == nil {
		return none, err
	}
	s, ok := o.Spec.(T)
	if !ok {
		return none, gatehouse.E(gatehouse.Internal, "reading %q: it is a %s", key, o.Kind)
	}
	return s, nil
}
