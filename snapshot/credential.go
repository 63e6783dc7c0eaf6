package snapshot

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
)

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
