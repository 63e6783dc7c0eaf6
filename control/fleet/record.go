package fleet

import (
	"context"
	"encoding/json"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/link"
	"gatehouse/store"
)

// act is one audited write of a record of this room. Secrets' hashes stay out
// of the event.
func (f *Fleet) act(action, key string, at store.Seq, kind gatehouse.Kind, before, after any) (audit.Act, error) {
	a := audit.Act{Action: action, Object: string(kind) + " " + key[len(kind)+1:]}
	value, err := jsonx.Marshal(after)
	if err != nil {
		return a, err
	}
	if a.Before, err = shown(before); err != nil {
		return a, err
	}
	if a.After, err = shown(after); err != nil {
		return a, err
	}
	w := store.Write{Key: key, Kind: string(kind), Value: value, Expect: at}
	switch r := after.(type) {
	case *gatehouse.Instance:
		w.Index = map[string]string{"gateway": r.Gateway}
	case *gatehouse.GatewayToken:
		w.Index = map[string]string{"gateway": r.Gateway}
	}
	a.Writes = []store.Write{w}
	return a, nil
}

func shown(v any) (json.RawMessage, error) {
	switch r := v.(type) {
	case nil:
		return nil, nil
	case *gatehouse.Instance:
		if r == nil {
			return nil, nil
		}
	case *gatehouse.GatewayToken:
		bare := *r
		bare.Hash = ""
		v = bare
	}
	return jsonx.Marshal(v)
}

func (f *Fleet) put(ctx context.Context, action, key string, at store.Seq, kind gatehouse.Kind, before, after any) error {
	a, err := f.act(action, key, at, kind, before, after)
	if err == nil {
		_, err = f.Trail.Commit(ctx, a)
	}
	return err
}

// instance reads an instance's record with its revision; nil when there is none.
func (f *Fleet) instance(ctx context.Context, gateway, instance string) (*gatehouse.Instance, store.Seq, error) {
	rec, err := f.DB.Get(ctx, instanceKey(gateway, instance))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, store.Absent, nil
	}
	if err != nil {
		return nil, 0, err
	}
	i := new(gatehouse.Instance)
	if err := json.Unmarshal(rec.Value, i); err != nil {
		return nil, 0, gatehouse.E(gatehouse.Internal, "reading instance %q of gateway %q: %w", instance, gateway, err)
	}
	return i, rec.Rev, nil
}

// gateway is the gateway's spec: from what is followed, else from the store,
// where it may be newer.
func (f *Fleet) gateway(ctx context.Context, name string) (*gatehouse.Gateway, error) {
	if g := f.state.Gateway(name); g != nil {
		return g, nil
	}
	if err := f.Refresh(ctx); err != nil {
		return nil, unavailable(err)
	}
	if g := f.state.Gateway(name); g != nil {
		return g, nil
	}
	return nil, link.Errorf(403, "there is no gateway %q any more", name)
}
