// Package snapshot is all that a gateway knows: plain data in chunks that are
// addressed by their content, tied together by a signed manifest (DESIGN 7.2).
//
// control/compile makes chunks and manifests, package link carries them, the
// gateway reads them. This package knows none of the three, and nothing of the
// words of the product: a chunk says all that serving needs and no more. No
// secret is in it: keys are hashes, other secrets references.
package snapshot

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"gatehouse/jsonx"
	"gatehouse/policy"
)

// A Hash is the SHA-256 of a chunk's bytes; it is the chunk's address.
type Hash [sha256.Size]byte

// Sum is the hash of data.
func Sum(data []byte) Hash { return sha256.Sum256(data) }

// String writes h as lower-case hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText and UnmarshalText carry a hash as hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) == hex.EncodedLen(len(h)) {
		if _, err := hex.Decode(h[:], text); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%q is not a SHA-256 in hexadecimal", text)
}

// What a chunk holds.
const (
	KindEnvironment = "environment" // one Environment
	KindAPI         = "api"         // one API
	KindCanary      = "canary"      // one Canary, under the name of the API it stands beside
	KindAttestation = "attestation" // one attest.Attestation, under the API's name
	KindProduct     = "product"     // one Product
	KindCredentials = "credentials" // one Credentials, a shard
	KindTails       = "tails"       // one Tails, under the name of the shard it stands beside
)

// An Entry names a chunk in a manifest.
type Entry struct {
	Kind string `json:"kind"`
	Name string `json:"name"` // "payments/orders@v1", "payments/commerce", "03f"; "prod"
	Hash Hash   `json:"hash"`
}

// Compare orders entries by kind and name.
func (e Entry) Compare(o Entry) int {
	if c := strings.Compare(e.Kind, o.Kind); c != 0 {
		return c
	}
	return strings.Compare(e.Name, o.Name)
}

// A Manifest lists the chunks a gateway runs, in the order of Entry.Compare.
// Serial is the store's sequence number that it was compiled at; it grows.
type Manifest struct {
	Installation string  `json:"installation"`
	Environment  string  `json:"environment"`
	Gateway      string  `json:"gateway"`
	Serial       int64   `json:"serial"`
	Entries      []Entry `json:"entries"`
}

// Breathe lets whoever waits have the processor at every 256th step of work on all
// entries. A gateway on one core goes through ten thousand of them several times
// for each change, and answers requests in between rather than after.
func Breathe(step int) {
	if step%256 == 255 {
		runtime.Gosched()
	}
}

// Digest identifies what the manifest says, its serial included.
func (m *Manifest) Digest() Hash { return m.DigestOf(SumEntries(m.Entries)) }

// DigestOf is the digest of m when the sum of its entries is known: manifests
// of gateways that run the same entries differ in their first line only.
func (m *Manifest) DigestOf(entries Hash) Hash {
	return Sum(fmt.Appendf(nil, "gatehouse manifest 1\n%q %q %q %d\n%s\n", m.Installation, m.Environment, m.Gateway, m.Serial, entries))
}

// SumEntries hashes entries as lines rather than JSON, so that ten thousand
// cost little.
func SumEntries(entries []Entry) Hash {
	h := sha256.New()
	lines := make([]byte, 0, 8<<10)
	for i := range entries {
		Breathe(i)
		if lines = entries[i].AppendLine(lines); len(lines) > cap(lines)-512 {
			h.Write(lines)
			lines = lines[:0]
		}
	}
	h.Write(lines)
	return Hash(h.Sum(nil))
}

// AppendLine writes the entry as it is summed: kind, hash, name in quotes.
func (e *Entry) AppendLine(b []byte) []byte {
	b = append(append(b, e.Kind...), ' ')
	b = append(hex.AppendEncode(b, e.Hash[:]), ' ')
	if plain(e.Name) {
		b = append(append(append(b, '"'), e.Name...), '"')
	} else {
		b = strconv.AppendQuote(b, e.Name)
	}
	return append(b, '\n')
}

// plain tells whether text stands for itself between quotes, as nearly every name
// does: looking for what is to be escaped takes most of a sum otherwise.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// A Delta turns a manifest into its successor: all entries when Base is zero,
// else those that differ. Digest and Signature are of the successor, whole.
type Delta struct {
	Manifest            // Entries holds only what is new or changed
	Base      int64     `json:"base"` // the serial it applies to; 0: to nothing
	Removed   []Entry   `json:"removed,omitempty"`
	Digest    Hash      `json:"digest"`
	Signature []byte    `json:"signature"` // Ed25519 over Digest
	KeyID     string    `json:"keyId"`
	Chunks    []Content `json:"chunks,omitempty"` // small chunks sent along, to save the fetch
	// Strikes, if any, are all there is to say: nothing else is set, and the
	// manifest stays as it is. An empty list ends those before.
	Strikes *Strikes `json:"strikes,omitempty"`
}

// Content is a chunk's bytes, sent along with a delta.
type Content struct {
	Hash Hash   `json:"hash"`
	Data []byte `json:"data"`
}

// Diff makes the delta from base (nil for nothing) to m, signed with key.
func Diff(base, m *Manifest, keyID string, key ed25519.PrivateKey) *Delta {
	return DiffOf(base, m, m.Digest(), keyID, key)
}

// DiffOf is Diff where m's digest is known.
func DiffOf(base, m *Manifest, digest Hash, keyID string, key ed25519.PrivateKey) *Delta {
	d := &Delta{Manifest: *m, Digest: digest, KeyID: keyID}
	d.Signature = ed25519.Sign(key, d.Digest[:])
	if base == nil {
		return d
	}
	d.Base = base.Serial
	d.Entries, d.Removed = Changes(base.Entries, m.Entries)
	return d
}

// Changes are the entries that are new or others than in base, and those that are
// gone. Both lists are in order.
func Changes(base, next []Entry) (changed, removed []Entry) {
	i := 0
	for n, e := range next {
		Breathe(n)
		for i < len(base) && base[i].Compare(e) < 0 {
			removed = append(removed, base[i])
			i++
		}
		if i < len(base) && base[i].Compare(e) == 0 {
			if base[i].Hash != e.Hash {
				changed = append(changed, e)
			}
			i++
			continue
		}
		changed = append(changed, e)
	}
	return changed, append(removed, base[i:]...)
}

// Apply makes the successor of base and proves it: the digest must be right
// and signed by the key. base is not changed.
func (d *Delta) Apply(base *Manifest, key ed25519.PublicKey) (*Manifest, error) {
	m := d.Manifest
	if d.Base != 0 {
		if base == nil || base.Serial != d.Base {
			return nil, fmt.Errorf("delta is based on manifest %d, which is not the one at hand", d.Base)
		}
		m.Entries = Merge(base.Entries, d.Entries, d.Removed)
	}
	for i := 1; i < len(m.Entries); i++ {
		Breathe(i)
		if m.Entries[i-1].Compare(m.Entries[i]) >= 0 {
			return nil, fmt.Errorf("manifest %d: entries are out of order", m.Serial)
		}
	}
	if m.Digest() != d.Digest {
		return nil, fmt.Errorf("manifest %d: entries do not have the digest it states", m.Serial)
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, d.Digest[:], d.Signature) {
		return nil, fmt.Errorf("manifest %d: signature is not the installation's", m.Serial)
	}
	return &m, nil
}

// Merge undoes what [Changes] did.
func Merge(base, changed, removed []Entry) []Entry {
	out := make([]Entry, 0, max(0, len(base)+len(changed)-len(removed)))
	for i, e := range base {
		Breathe(i)
		for len(changed) > 0 && changed[0].Compare(e) < 0 {
			out, changed = append(out, changed[0]), changed[1:]
		}
		switch {
		case len(changed) > 0 && changed[0].Compare(e) == 0:
			out, changed = append(out, changed[0]), changed[1:]
		case len(removed) > 0 && removed[0].Compare(e) == 0:
			removed = removed[1:]
		default:
			out = append(out, e)
		}
	}
	return append(out, changed...)
}

// Environment is what holds for all APIs of one environment.
type Environment struct {
	Name  string   `json:"name"`
	Stage string   `json:"stage"`
	Hosts []string `json:"hosts,omitempty"` // empty: any host
	// KeyHeader carries the key; "X-API-Key" unless the environment says otherwise.
	KeyHeader string `json:"keyHeader,omitempty"`
	// Gate is GateEnforce where only what has an attestation is served,
	// GateReport where what has none is served and told; "" asks nothing.
	Gate string `json:"gate,omitempty"`
}

// What an environment demands of the compliance gate.
const (
	GateEnforce = "enforce"
	GateReport  = "report"
)

// An API is one released revision of one API version in one environment.
type API struct {
	Team       string   `json:"team"`
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Revision   string   `json:"revision"`
	Hosts      []string `json:"hosts,omitempty"` // empty: the environment's
	Path       string   `json:"path"`            // base path, normalized, no slash at the end; "" is the root
	Access     string   `json:"access"`          // subscription | token | open
	Lifecycle  string   `json:"lifecycle"`
	Deprecated int64    `json:"deprecated,omitempty"` // Unix seconds, for the Deprecation field (RFC 9745)
	Sunset     int64    `json:"sunset,omitempty"`     // Unix seconds, for the Sunset field (RFC 8594)
	Successor  string   `json:"successor,omitempty"`  // link to what replaces it
	// Any passes every path and method under Path: the version has no
	// definition, or allows what its definition does not name.
	Any        bool        `json:"any,omitempty"`
	Operations []Operation `json:"operations,omitempty"`
	Backend    Backend     `json:"backend"`
	// Mandatory steps come from framework and environment and run first;
	// Policies are the version's and run after the plan's.
	Mandatory []policy.Use `json:"mandatory,omitempty"`
	Policies  []policy.Use `json:"policies,omitempty"`
}

// A Canary is another revision of an API version that takes a share of its
// callers while the API chunk of the same name takes the others. A gateway that
// does not know the kind sets it aside, and all callers stay where they were.
type Canary struct {
	Weight int `json:"weight"` // percent of the callers
	API    API `json:"api"`
	// Attestation of the revision, an attest.Attestation, where the environment's
	// gate asks for one.
	Attestation json.RawMessage `json:"attestation,omitempty"`
}

// ID is "team/name@version".
func (a *API) ID() string { return a.Team + "/" + a.Name + "@" + a.Version }

// An Operation is one method on one path template below the API's base path.
type Operation struct {
	ID       string           `json:"id"` // operationId, or "GET /things"
	Method   string           `json:"method"`
	Path     string           `json:"path"` // "/things/{id}"; "{rest+}" takes all further segments
	Policies []policy.Use     `json:"policies,omitempty"`
	Examples []policy.Example `json:"examples,omitempty"` // only where a mock can use them
}

// A Backend is where requests go in one environment.
type Backend struct {
	Name    string         `json:"name"` // "payments/orders"
	Targets []Target       `json:"targets"`
	Timeout jsonx.Duration `json:"timeout,omitempty"` // for the whole answer to begin; default 30s
	Connect jsonx.Duration `json:"connect,omitempty"` // default 5s
	Retries Retries        `json:"retries,omitzero"`
	Health  Health         `json:"health,omitzero"`
	TLS     TLS            `json:"tls,omitzero"`
	// PassHost sends the caller's Host on; otherwise the target's is sent.
	PassHost bool `json:"passHost,omitempty"`
	// PassKey and PassToken let credentials through to the backend.
	PassKey   bool `json:"passKey,omitempty"`
	PassToken bool `json:"passToken,omitempty"`
	// HTTP2 speaks HTTP/2 to the targets: by ALPN over TLS, else by prior knowledge.
	HTTP2          bool `json:"http2,omitempty"`
	MaxConnections int  `json:"maxConnections,omitempty"` // for each target; default 1024
}

// A Target is one address of a backend.
type Target struct {
	URL    string `json:"url"`
	Weight int    `json:"weight,omitempty"` // zero counts as 1
	Cloud  string `json:"cloud,omitempty"`
	Region string `json:"region,omitempty"`
}

// Retries says when a request is sent again.
type Retries struct {
	Attempts int      `json:"attempts,omitempty"` // beyond the first
	On       []string `json:"on,omitempty"`       // connect-failure, reset, timeout, or a status such as "503"
}

// Health says how targets are watched.
type Health struct {
	Path      string         `json:"path,omitempty"` // empty: passive only
	Interval  jsonx.Duration `json:"interval,omitempty"`
	Timeout   jsonx.Duration `json:"timeout,omitempty"`
	Healthy   int            `json:"healthy,omitempty"`   // answers in a row to come back; default 2
	Unhealthy int            `json:"unhealthy,omitempty"` // failures in a row to be left out; default 3
	Statuses  []int          `json:"statuses,omitempty"`  // default 200-399
}

// TLS says how a target is trusted. Certificates are PEM or references.
type TLS struct {
	CA         string `json:"ca,omitempty"`
	ServerName string `json:"serverName,omitempty"`
	Cert       string `json:"cert,omitempty"`
	Key        string `json:"key,omitempty"`
	Insecure   bool   `json:"insecure,omitempty"` // skips verification; refused outside of dev
}

// A Product bundles APIs under plans.
type Product struct {
	Name  string   `json:"name"`
	APIs  []string `json:"apis"` // "payments/orders@v1", sorted
	Plans []Plan   `json:"plans"`
}

// A Plan is a product's plan as policies: what files say as rateLimit and
// quota is here in the form every policy has.
type Plan struct {
	Name     string       `json:"name"`
	Policies []policy.Use `json:"policies,omitempty"`
}

// Credentials is one shard of what proves a subscription.
type Credentials struct {
	Subscriptions []Subscription `json:"subscriptions"`
	Keys          []Key          `json:"keys"`
}

// A Subscription is one that is approved and in force.
type Subscription struct {
	Name        string `json:"name"` // "billing/invoices-commerce"
	Application string `json:"application"`
	Product     string `json:"product"`
	Plan        string `json:"plan"`
	Expires     int64  `json:"expires,omitempty"` // Unix seconds
}

// A Key proves the subscription at index Subscription of its shard. The client
// of a token issuer stands there once for each subscription of its application:
// the same Hash may occur more than once, and which of the subscriptions counts
// is told by the product that has the API called.
type Key struct {
	Hash         Credential `json:"h"`
	Subscription int        `json:"s"`
	Expires      int64      `json:"e,omitempty"` // Unix seconds
}

// A Credential is the SHA-256 of a key, or of [ClientCredential]'s text. Its
// first byte and a half choose the shard.
type Credential [sha256.Size]byte

// KeyCredential is what a gateway looks a key up by.
func KeyCredential(key string) Credential {
	var room [64]byte // a key's length and more: what is hashed stays on the stack
	return sha256.Sum256(append(room[:0], key...))
}

// ClientCredential is what a gateway looks a token's client up by.
func ClientCredential(issuer, client string) Credential {
	return sha256.Sum256([]byte("client\x00" + issuer + "\x00" + client))
}

// TailLength is how many characters of a key its tail has: its checksum, which is
// as random as the key. What of the key is not told by it are 224 bits still.
const TailLength = 6

// Tail is how a key ends. A gateway begins to look the key up by it while it is
// still hashing; what the key proves, its hash says alone.
func Tail(key string) string { return key[max(0, len(key)-TailLength):] }

// Tails tells how the keys of a shard end, so far as that is known: of keys made
// before tails were kept it is not. It is a chunk of its own because gateways of
// before do not take what they do not know in Credentials; they set it aside.
type Tails struct {
	Keys []KeyTail `json:"keys"` // in order of their hashes
}

// A KeyTail is a [HashStart] in base64url and, right behind it, the key's tail. That
// is empty for a client of a token issuer, which is no key.
type KeyTail string

// A HashStart is enough of a hash to tell the credentials of one shard apart. Of
// two that it does not tell apart the tail is not known.
type HashStart [6]byte

const hashStartText = 8 // characters

// Start of c, without what all of its shard have in common.
func (c Credential) Start() HashStart { return HashStart(c[1:7]) }

// TailOf is c's entry in Tails.
func TailOf(c Credential, tail string) KeyTail {
	s := c.Start()
	return KeyTail(base64.RawURLEncoding.EncodeToString(s[:]) + tail)
}

// Split takes t apart; ok is false when it is not an entry.
func (t KeyTail) Split() (start HashStart, tail string, ok bool) {
	if len(t) != hashStartText && len(t) != hashStartText+TailLength {
		return start, "", false
	}
	n, err := base64.RawURLEncoding.Decode(start[:], []byte(t[:hashStartText]))
	return start, string(t[hashStartText:]), err == nil && n == len(start)
}

// Shards is the number of credential shards.
const Shards = 4096

// Shard names the shard of c: three hexadecimal digits.
func (c Credential) Shard() string { return hex.EncodeToString(c[:2])[:3] }

// MarshalText writes c in base64url (RFC 4648 §5) without padding.
func (c Credential) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, c[:]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (c *Credential) UnmarshalText(text []byte) error {
	if len(text) == base64.RawURLEncoding.EncodedLen(len(c)) {
		if _, err := base64.RawURLEncoding.Decode(c[:], text); err == nil {
			return nil
		}
	}
	return errors.New("credential is not a SHA-256 in base64url")
}

// Encode writes a chunk: canonical JSON, so that the same content has the same
// address.
func Encode(chunk any) ([]byte, Hash, error) {
	data, err := jsonx.Canonical(chunk)
	return data, Sum(data), err
}

// Decode reads a chunk. Fields it does not know are refused: a rule that this
// program cannot read must not be skipped in silence.
func Decode(data []byte, chunk any) error {
	if err := jsonx.Decode(data, chunk); err != nil {
		return fmt.Errorf("decoding chunk: %w", err)
	}
	return nil
}
