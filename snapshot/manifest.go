package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

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
