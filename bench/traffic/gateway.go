package traffic

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"gatehouse/gateway"
	"gatehouse/policy"
	"gatehouse/snapshot"
)

// serveGateway is the traffic wing with a configuration of its own making: one
// open API, or one behind a product with a plan and all consumers' keys, with
// an access log ("apim"), or an open one that asks for a token ("jwt").
// "plain-nethttp" leaves HTTP/1.1 to net/http; "tls" is plain behind TLS.
func serveGateway(listen, backend, dir, work string) error {
	var o gateway.Options
	o.Listen.NoFastLane = work == "plain-nethttp"
	if work == "apim" {
		f, err := os.CreateTemp("", "access")
		if err != nil {
			return err
		}
		os.Remove(f.Name()) // gone when the process is
		o.AccessLog = f
	}
	g, err := gateway.New(o)
	if err != nil {
		return err
	}
	c := chunks{}
	m, err := c.manifest(backend, dir, work)
	if err != nil {
		return err
	}
	aside, err := g.Swap(context.Background(), m, c.get)
	if err != nil || len(aside) > 0 {
		return fmt.Errorf("putting the configuration in force: %v %w", aside, err)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	var t gateway.TLS
	if work == "tls" {
		t.Cert, t.Key = filepath.Join(dir, certFile), filepath.Join(dir, keyFile)
	}
	return g.Serve(l, t)
}

// chunks by their hash.
type chunks map[snapshot.Hash][]byte

func (c chunks) get(h snapshot.Hash) ([]byte, error) { return c[h], nil }

func (c chunks) add(m *snapshot.Manifest, kind, name string, chunk any) error {
	data, hash, err := snapshot.Encode(chunk)
	c[hash] = data
	m.Entries = append(m.Entries, snapshot.Entry{Kind: kind, Name: name, Hash: hash})
	return err
}

func (c chunks) manifest(backend, dir, work string) (*snapshot.Manifest, error) {
	m := &snapshot.Manifest{Environment: "bench", Serial: 1}
	api := snapshot.API{Team: "payments", Name: "orders", Version: "v1", Path: "/orders/v1", Access: "open", Lifecycle: "published",
		Backend: snapshot.Backend{Name: "payments/orders", Targets: []snapshot.Target{{URL: "http://" + backend}}}}
	for _, path := range []string{"/orders", "/orders/{id}", "/orders/{id}/lines", "/invoices/{id}"} {
		api.Operations = append(api.Operations, snapshot.Operation{ID: "GET " + path, Method: "GET", Path: path})
	}
	switch work {
	case "apim":
		api.Access = "subscription"
	case "jwt":
		use, err := tokenPolicy(dir)
		if err != nil {
			return nil, err
		}
		api.Policies = append(api.Policies, use)
	}
	err := c.add(m, snapshot.KindEnvironment, "bench", snapshot.Environment{Name: "bench", Stage: "dev"})
	if err == nil {
		err = c.add(m, snapshot.KindAPI, api.ID(), api)
	}
	if err == nil && work == "apim" {
		err = c.consumers(m, api.ID())
	}
	slices.SortFunc(m.Entries, snapshot.Entry.Compare)
	return m, err
}

// consumers adds a product and a key of it for each consumer.
func (c chunks) consumers(m *snapshot.Manifest, api string) error {
	limit := policy.Use{Name: "rate-limit", Config: json.RawMessage(`{"requests": 1000000, "per": "1s"}`)}
	product := snapshot.Product{Name: "payments/commerce", APIs: []string{api}, Plans: []snapshot.Plan{{Name: "gold", Policies: []policy.Use{limit}}}}
	if err := c.add(m, snapshot.KindProduct, product.Name, product); err != nil {
		return err
	}
	shards := map[string]*snapshot.Credentials{}
	for i := range consumers {
		hash := snapshot.KeyCredential(Key(i))
		s := shards[hash.Shard()]
		if s == nil {
			s = new(snapshot.Credentials)
			shards[hash.Shard()] = s
		}
		s.Keys = append(s.Keys, snapshot.Key{Hash: hash, Subscription: len(s.Subscriptions)})
		s.Subscriptions = append(s.Subscriptions, snapshot.Subscription{Name: fmt.Sprintf("billing/app-%d-commerce", i),
			Application: fmt.Sprintf("billing/app-%d", i), Product: product.Name, Plan: "gold"})
	}
	for name, s := range shards {
		if err := c.add(m, snapshot.KindCredentials, name, *s); err != nil {
			return err
		}
	}
	return nil
}
