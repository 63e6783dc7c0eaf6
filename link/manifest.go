package link

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gatehouse/snapshot"
)

// manifestHead is the first line of a manifest file; a line for each entry
// follows: kind, hash, quoted name.
type manifestHead struct {
	Format       int           `json:"format"` // 1
	Installation string        `json:"installation"`
	Environment  string        `json:"environment"`
	Gateway      string        `json:"gateway"`
	Serial       int64         `json:"serial"`
	Digest       snapshot.Hash `json:"digest"`
	Signature    []byte        `json:"signature"`
	KeyID        string        `json:"keyId"`
	Entries      int           `json:"entries"`
}

func (u *Update) encode() []byte {
	m := u.Manifest
	head, err := json.Marshal(manifestHead{1, m.Installation, m.Environment, m.Gateway, m.Serial, u.Digest, u.Signature, u.KeyID, len(m.Entries)})
	if err != nil {
		panic(err) // plain data
	}
	b := make([]byte, 0, len(head)+112*len(m.Entries))
	b = append(append(b, head...), '\n')
	for i := range m.Entries {
		b = m.Entries[i].AppendLine(b)
	}
	return b
}

// maxEntries bounds a manifest on disk.
const maxEntries = 1 << 20

// readUpdate reads a manifest file. With keys, its signature must be theirs;
// without, only the digest is checked.
func readUpdate(r io.Reader, keys map[string][]byte) (*Update, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, errors.New("manifest file has no first line")
	}
	var head manifestHead
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("manifest file: %w", err)
	}
	if head.Format != 1 || head.Entries < 0 || head.Entries > maxEntries {
		return nil, fmt.Errorf("manifest file of format %d with %d entries cannot be read", head.Format, head.Entries)
	}
	m := &snapshot.Manifest{Installation: head.Installation, Environment: head.Environment, Gateway: head.Gateway, Serial: head.Serial}
	for range head.Entries {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, fmt.Errorf("manifest file ends after %d of %d entries", len(m.Entries), head.Entries)
		}
		e, err := readEntry(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return nil, err
		}
		m.Entries = append(m.Entries, e)
	}
	u := &Update{Manifest: m, Digest: head.Digest, Signature: head.Signature, KeyID: head.KeyID}
	return u, u.verify(keys)
}

// verify proves a generation from disk. With keys, its signature must be theirs;
// without, only the digest is checked.
func (u *Update) verify(keys map[string][]byte) error {
	if u.Manifest.Digest() != u.Digest {
		return fmt.Errorf("manifest %d on disk does not have the digest it states", u.Manifest.Serial)
	}
	if keys == nil {
		return nil
	}
	if key := keys[u.KeyID]; len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, u.Digest[:], u.Signature) {
		return fmt.Errorf("manifest %d on disk is not signed by the installation", u.Manifest.Serial)
	}
	return nil
}

func readEntry(line []byte) (snapshot.Entry, error) {
	kind, rest, _ := strings.Cut(string(line), " ")
	hash, quoted, _ := strings.Cut(rest, " ")
	e := snapshot.Entry{Kind: kind}
	if err := e.Hash.UnmarshalText([]byte(hash)); err != nil {
		return e, fmt.Errorf("manifest file: %w", err)
	}
	var err error
	if e.Name, err = strconv.Unquote(quoted); err != nil {
		return e, fmt.Errorf("manifest file: %q is not a quoted name", quoted)
	}
	return e, nil
}
