package jwt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

var p521 = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

// TestSignsAsJose holds every algorithm, with every key, and with signatures spoilt
// in every way, to what go-jose says of the same token.
func TestSignsAsJose(t *testing.T) {
	all := []key{}
	private := map[string]any{"p521": p521()}
	for name, k := range keys() {
		private[name] = k
	}
	for name, k := range private {
		public := (&jose.JSONWebKey{Key: k}).Public()
		algorithms, err := fitting(public.Key)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, key{kid: name, public: public.Key, algorithms: algorithms})
	}
	good, bad := 0, 0
	for i := range all {
		k := &all[i]
		for _, alg := range k.algorithms {
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: private[k.kid]}, nil)
			if err != nil {
				t.Fatal(err)
			}
			jws, err := signer.Sign([]byte(claims("")))
			if err != nil {
				t.Fatal(err)
			}
			token, err := jws.CompactSerialize()
			if err != nil {
				t.Fatal(err)
			}
			for what, spoilt := range spoil(t, token) {
				for j := range all {
					by := &all[j]
					for _, as := range by.algorithms {
						got, want := ask(by, as, spoilt), askJose(by, as, spoilt)
						if got != want {
							t.Errorf("%s, signed by %s with %s, asked of %s with %s: got %v, go-jose %v", what, k.kid, alg, by.kid, as, got, want)
						}
						if got {
							good++
						} else {
							bad++
						}
						if got && what != "as it is" {
							t.Errorf("%s, signed by %s with %s passes", what, k.kid, alg)
						}
					}
				}
			}
		}
	}
	if good < len(all) || bad < 100 {
		t.Errorf("%d good and %d bad", good, bad)
	}
}

// ask is what a key says of a token under an algorithm that the caller accepts.
func ask(k *key, alg jose.SignatureAlgorithm, token string) bool {
	h, _, err := parse(token)
	return err == nil && h.algorithm == alg && slices.Contains(k.algorithms, alg) && k.signs(h.signed, alg, h.signature)
}

func askJose(k *key, alg jose.SignatureAlgorithm, token string) bool {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{alg})
	if err != nil {
		return false
	}
	_, err = jws.Verify(k.public)
	return err == nil
}

// spoil makes tokens of a token, each named by what became of it.
func spoil(t *testing.T, token string) map[string]string {
	head, rest, _ := strings.Cut(token, ".")
	body, sig, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(sig)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func([]byte) []byte) string {
		return head + "." + body + "." + base64.RawURLEncoding.EncodeToString(change(slices.Clone(raw)))
	}
	out := map[string]string{
		"as it is":           token,
		"no signature":       head + "." + body + ".",
		"a byte more":        with(func(b []byte) []byte { return append(b, 0) }),
		"a zero before":      with(func(b []byte) []byte { return append([]byte{0}, b...) }),
		"a byte less":        with(func(b []byte) []byte { return b[:len(b)-1] }),
		"all zero":           with(func(b []byte) []byte { return make([]byte, len(b)) }),
		"halves changed":     with(func(b []byte) []byte { return slices.Concat(b[len(b)/2:], b[:len(b)/2]) }),
		"other claims":       head + "." + encode(claims(`,"admin":true`)) + "." + sig,
		"another header":     encode(`{"alg":"RS256","x":1}`) + "." + body + "." + sig,
		"header and claims":  body + "." + head + "." + sig,
		"signature of empty": head + ".." + sig,
	}
	for _, i := range []int{0, len(raw) / 2, len(raw) - 1} {
		out[fmt.Sprint("byte ", i, " changed")] = with(func(b []byte) []byte { b[i] ^= 1; return b })
	}
	return out
}
