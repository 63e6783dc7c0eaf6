package link

import (
	"fmt"

	"gatehouse/snapshot"
)

// An Update is a manifest that was proven, with the proof, so that it can be
// proven again from disk.
type Update struct {
	Manifest  *snapshot.Manifest
	Digest    snapshot.Hash
	Signature []byte
	KeyID     string
	// Chunks that came along, by hash.
	Chunks map[snapshot.Hash][]byte
	// Strikes, if any, came instead of a manifest.
	Strikes *snapshot.Strikes
}

// prove applies a delta and checks all that a gateway must not take on trust.
func prove(d *snapshot.Delta, base *Update, id *Identity) (*Update, error) {
	var from *snapshot.Manifest
	if base != nil {
		from = base.Manifest
	}
	m, err := d.Apply(from, id.Keys[d.KeyID])
	if err != nil {
		return nil, err
	}
	u := &Update{Manifest: m, Digest: d.Digest, Signature: d.Signature, KeyID: d.KeyID}
	if err := u.belongs(id); err != nil {
		return nil, err
	}
	if from != nil && m.Serial < from.Serial {
		return nil, fmt.Errorf("manifest %d is older than the one in force, %d", m.Serial, from.Serial)
	}
	u.Chunks = make(map[snapshot.Hash][]byte, len(d.Chunks))
	for _, c := range d.Chunks {
		if snapshot.Sum(c.Data) != c.Hash {
			return nil, fmt.Errorf("manifest %d: chunk %s does not have the content its address states", m.Serial, c.Hash)
		}
		u.Chunks[c.Hash] = c.Data
	}
	return u, nil
}

// belongs refuses a manifest that is good, but meant for another gateway.
func (u *Update) belongs(id *Identity) error {
	m := u.Manifest
	if m.Installation != id.Installation || m.Gateway != id.Gateway {
		return fmt.Errorf("manifest %d is for gateway %q of installation %q, not for %q of %q", m.Serial, m.Gateway, m.Installation, id.Gateway, id.Installation)
	}
	return nil
}
