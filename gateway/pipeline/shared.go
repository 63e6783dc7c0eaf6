package pipeline

import "sync"

// A registry keeps values of policies by key while any unit uses them.
type registry struct {
	mu     sync.Mutex // guards values and their counts
	values map[string]*sharedValue
}

type sharedValue struct {
	value any
	stop  func()
	users int
}

// use returns the value under key, made if need be, and counts one user more.
func (r *registry) use(key string, make func() (any, func())) any {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.values[key]
	if v == nil {
		v = new(sharedValue)
		v.value, v.stop = make()
		if r.values == nil {
			r.values = map[string]*sharedValue{}
		}
		r.values[key] = v
	}
	v.users++
	return v.value
}

// release counts users out; values without a user are stopped.
func (r *registry) release(keys []string) {
	var stops []func()
	r.mu.Lock()
	for _, k := range keys {
		v := r.values[k]
		if v.users--; v.users == 0 {
			delete(r.values, k)
			if v.stop != nil {
				stops = append(stops, v.stop)
			}
		}
	}
	r.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
}
