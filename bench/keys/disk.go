package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/link"
	"gatehouse/policy"
	"gatehouse/policy/apikey"
	"gatehouse/snapshot"
)

// Key is the i-th key, as package apikey makes them.
func Key(i int) string {
	return apikey.Of(sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i))))
}

// writeDisk leaves in dir what a gateway has there that joined and was given an
// API, a product, and n subscriptions with a key each: an identity, and a
// configuration that is signed. The gateway starts from it as from any other.
func writeDisk(dir, backend string, n int) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	id, err := identity(public)
	if err != nil {
		return err
	}
	if err := id.Save(dir); err != nil {
		return err
	}
	m := &snapshot.Manifest{Installation: id.Installation, Environment: id.Environment, Gateway: id.Gateway, Serial: 1}
	chunks, err := content(m, backend, n)
	if err != nil {
		return err
	}
	d, err := link.OpenDisk(filepath.Join(dir, "snapshot"), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	u := &link.Update{Manifest: m, Digest: m.Digest(), KeyID: "bench"}
	u.Signature = ed25519.Sign(private, u.Digest[:])
	if err := d.Save(u, chunks); err != nil {
		return err
	}
	return d.Close()
}

// identity is one that no control plane knows.
func identity(sign ed25519.PublicKey) (*link.Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	id := &link.Identity{Welcome: link.Welcome{Installation: "bench", Gateway: "edge", Environment: "prod", Instance: "bench",
		Certificate: der, Authority: der, Keys: map[string][]byte{"bench": sign}}}
	id.Key, err = x509.MarshalPKCS8PrivateKey(key)
	return id, err
}

// content fills the manifest and returns its chunks.
func content(m *snapshot.Manifest, backend string, n int) (map[snapshot.Hash][]byte, error) {
	api := snapshot.API{Team: "payments", Name: "orders", Version: "v1", Path: "/orders/v1", Access: "subscription", Lifecycle: "published",
		Backend:    snapshot.Backend{Name: "payments/orders", Targets: []snapshot.Target{{URL: backend}}},
		Operations: []snapshot.Operation{{ID: "getOrder", Method: "GET", Path: "/orders/{id}"}}}
	limit := policy.Use{Name: "rate-limit", Config: json.RawMessage(`{"requests": 1000000, "per": "1s"}`)}
	product := snapshot.Product{Name: "payments/commerce", APIs: []string{api.ID()}, Plans: []snapshot.Plan{{Name: "gold", Policies: []policy.Use{limit}}}}
	chunks := map[snapshot.Hash][]byte{}
	add := func(kind, name string, chunk any) error {
		data, hash, err := snapshot.Encode(chunk)
		chunks[hash] = data
		m.Entries = append(m.Entries, snapshot.Entry{Kind: kind, Name: name, Hash: hash})
		return err
	}
	if err := add(snapshot.KindEnvironment, m.Environment, snapshot.Environment{Name: m.Environment, Stage: "prod"}); err != nil {
		return nil, err
	}
	if err := add(snapshot.KindAPI, api.ID(), api); err != nil {
		return nil, err
	}
	if err := add(snapshot.KindProduct, product.Name, product); err != nil {
		return nil, err
	}
	for name, s := range shards(product.Name, n) {
		if err := add(snapshot.KindCredentials, name, s.credentials); err != nil {
			return nil, err
		}
		if err := add(snapshot.KindTails, name, s.tails); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(m.Entries, snapshot.Entry.Compare)
	return chunks, nil
}

// A shard is both of its chunks.
type shard struct {
	credentials snapshot.Credentials
	tails       snapshot.Tails
}

// shards are n subscriptions with a key each, of applications of 1,000 teams.
func shards(product string, n int) map[string]*shard {
	all := map[string]*shard{}
	for i := range n {
		key := Key(i)
		hash := snapshot.KeyCredential(key)
		s := all[hash.Shard()]
		if s == nil {
			s = new(shard)
			all[hash.Shard()] = s
		}
		app := fmt.Sprintf("team%03d/application-%07d", i%1000, i)
		s.credentials.Keys = append(s.credentials.Keys, snapshot.Key{Hash: hash, Subscription: len(s.credentials.Subscriptions)})
		s.tails.Keys = append(s.tails.Keys, snapshot.TailOf(hash, snapshot.Tail(key)))
		s.credentials.Subscriptions = append(s.credentials.Subscriptions, snapshot.Subscription{Name: app + "-commerce", Application: app, Product: product, Plan: "gold"})
	}
	for _, s := range all { // by hash, as the management wing writes them
		slices.SortFunc(s.credentials.Keys, func(a, b snapshot.Key) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
		slices.SortFunc(s.tails.Keys, func(a, b snapshot.KeyTail) int {
			x, _, _ := a.Split()
			y, _, _ := b.Split()
			return bytes.Compare(x[:], y[:])
		})
	}
	return all
}
