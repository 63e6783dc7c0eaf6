package snapshot

import (
	"crypto/ed25519"
	"fmt"
)

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
