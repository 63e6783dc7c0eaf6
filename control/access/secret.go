package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"hash/crc32"
	"math/big"
	"strings"
)

// Prefixes of secrets, so that a scanner of code and logs can tell them.
const (
	tokenPrefix   = "ght_"
	sessionPrefix = "ghs_"
	loginPrefix   = "ghl_"
)

// A secret is prefix, 43 digits and letters that carry 256 random bits, and 6
// that are their CRC-32: what was mistyped or made up is told without a look
// into the store.
const (
	bodyLength  = 43
	checkLength = 6
)

// newSecret makes a secret, and the hash by which alone it is kept.
func newSecret(prefix string) (secret, hash string) {
	var b [32]byte
	rand.Read(b[:]) // never fails; crypto/rand ends the program instead
	body := base62(new(big.Int).SetBytes(b[:]), bodyLength)
	secret = prefix + body + checksum(prefix+body)
	return secret, hashOf(secret)
}

// wellFormed reports whether the text is a secret of that prefix.
func wellFormed(prefix, text string) bool {
	if !strings.HasPrefix(text, prefix) || len(text) != len(prefix)+bodyLength+checkLength {
		return false
	}
	at := len(text) - checkLength
	return checksum(text[:at]) == text[at:]
}

func checksum(s string) string {
	return base62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(s)))), checkLength)
}

// base62 writes n with digits and letters, filled with zeros to the width.
func base62(n *big.Int, width int) string {
	text := n.Text(62)
	return strings.Repeat("0", width-len(text)) + text
}

// hashOf is the SHA-256 of a secret, base64url. The secret has 256 random
// bits, so no slow hash is needed.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// idOf makes a public id of a hash: the prefix and 80 bits, in lower case.
func idOf(prefix, hash string) string {
	sum, _ := base64.RawURLEncoding.DecodeString(hash)
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}
