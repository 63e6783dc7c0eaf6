package keys

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/credential"
	"gatehouse/gateway/head"
	"gatehouse/gateway/route"
	"gatehouse/policy"
	"gatehouse/policy/apikey"
)

// Lookups are timed in so many parts of so many. All parts together go through a
// table several times as large as what the machine's caches keep of it.
const part, parts = 256, 4000

// times are those of one request or lookup.
type times struct {
	few, many         time.Duration // a request is routed and its key found
	routing           time.Duration // it has no key
	fewBare, manyBare time.Duration // a key is found and nothing else done
}

// lookups times lookups of keys at random among few and among n, in turn and in
// small parts, of which the medians count: what else the machine does is not the
// gateway's.
func lookups(n int) (*times, error) {
	small, err := index(few)
	if err != nil {
		return nil, err
	}
	big, err := index(n)
	if err != nil {
		return nil, err
	}
	r, err := newRouter()
	if err != nil {
		return nil, err
	}
	fewKeys, manyKeys := draw(few, part*parts), draw(n, part*parts)
	var took [5][]time.Duration
	for at := 0; at < len(fewKeys); at += part * apikey.Length {
		far := (at + len(fewKeys)/2) % len(fewKeys) // no key twice in a row
		for i, do := range []func() error{
			func() error { return r.requests(small, fewKeys[at:][:part*apikey.Length]) },
			func() error { return r.requests(big, manyKeys[at:][:part*apikey.Length]) },
			func() error { return r.requests(nil, fewKeys[at:][:part*apikey.Length]) },
			func() error { return bare(small, fewKeys[far:][:part*apikey.Length]) },
			func() error { return bare(big, manyKeys[far:][:part*apikey.Length]) },
		} {
			begin := time.Now()
			if err := do(); err != nil {
				return nil, err
			}
			took[i] = append(took[i], time.Since(begin))
		}
	}
	median := func(i int) time.Duration {
		slices.Sort(took[i])
		return took[i][len(took[i])/2] / part
	}
	return &times{few: median(0), many: median(1), routing: median(2), fewBare: median(3), manyBare: median(4)}, nil
}

// A router does what lies between a request's head and its key, as the gateway's
// pipeline does.
type router struct {
	index *route.Index[int]
	tree  *route.Tree
}

func newRouter() (*router, error) {
	tree, err := route.NewTree([]route.Op{{Method: "GET", Path: "/orders/{id}"}})
	return &router{new(route.Index[int]).Insert("", "/orders/v1", new(int)), tree}, err
}

// requests routes one request for each key and finds the key in x, if there is x.
func (r *router) requests(x *credential.Index, keys string) error {
	var room [4]credential.Subscription
	var params [8]policy.Param
	for ; keys != ""; keys = keys[apikey.Length:] {
		if x != nil {
			x.Expect(keys[:apikey.Length])
		}
		host, ok := head.Host("api.example.com:8443")
		path, err := route.Normalize("/orders/v1/orders/7", route.Rules{})
		if !ok || err != nil {
			return fmt.Errorf("the request is malformed: %w", err)
		}
		api, base := r.index.Find(host, path)
		if op, _ := r.tree.Match("GET", path[base:], params[:0]); api == nil || op < 0 {
			return fmt.Errorf("no operation answers at %q", path)
		}
		if x != nil {
			if err := look(x, keys[:apikey.Length], room[:0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// bare does nothing but find keys.
func bare(x *credential.Index, keys string) error {
	var room [4]credential.Subscription
	for ; keys != ""; keys = keys[apikey.Length:] {
		if err := look(x, keys[:apikey.Length], room[:0]); err != nil {
			return err
		}
	}
	return nil
}

func look(x *credential.Index, key string, room []credential.Subscription) error {
	if found := x.FindKey(key, room); len(found) != 1 || !found[0].Live(0) {
		return fmt.Errorf("key %q proves %d live subscriptions", key, len(found))
	}
	return nil
}

// draw is that many keys among n at random, one behind the other, as memory is read
// ahead: what is timed is the gateway's own waiting.
func draw(n, times int) string {
	random := rand.New(rand.NewPCG(1, 2))
	var all strings.Builder
	for range times {
		all.WriteString(Key(random.IntN(n)))
	}
	return all.String()
}

func index(n int) (*credential.Index, error) {
	built := map[string]*credential.Shard{}
	for name, s := range shards("payments/commerce", n) {
		var err error
		if built[name], err = credential.NewShard(name, &s.credentials, s.tails.Keys); err != nil {
			return nil, err
		}
	}
	return new(credential.Index).With(built), nil
}
