package credential

import "gatehouse/snapshot"

// A Struck is what counts no more although the index still has it. It is never
// changed; nil strikes nothing.
type Struck struct {
	keys          map[snapshot.Credential]struct{}
	subscriptions map[string]struct{}
}

// Strike makes a Struck; nil when there is nothing to strike.
func Strike(s *snapshot.Strikes) *Struck {
	if len(s.Keys)+len(s.Subscriptions) == 0 {
		return nil
	}
	out := &Struck{make(map[snapshot.Credential]struct{}, len(s.Keys)), make(map[string]struct{}, len(s.Subscriptions))}
	for _, k := range s.Keys {
		out.keys[k] = struct{}{}
	}
	for _, name := range s.Subscriptions {
		out.subscriptions[name] = struct{}{}
	}
	return out
}

// Has tells whether the key or the subscription of s, which is somebody, is struck.
func (t *Struck) Has(s *Subscription) bool {
	if t == nil {
		return false
	}
	if _, ok := t.keys[s.at.hash]; ok {
		return true
	}
	_, ok := t.subscriptions[s.Name()]
	return ok
}
