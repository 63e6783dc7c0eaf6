// Package snapshot is all that a gateway knows: plain data in chunks that are
// addressed by their content, tied together by a signed manifest (DESIGN 7.2).
//
// control/compile makes chunks and manifests, package link carries them, the
// gateway reads them. This package knows none of the three, and nothing of the
// words of the product: a chunk says all that serving needs and no more. No
// secret is in it: keys are hashes, other secrets references.
package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"gatehouse/jsonx"
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
