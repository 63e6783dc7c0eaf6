package pipeline

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"gatehouse/gateway/credential"
	"gatehouse/policy"
	"gatehouse/snapshot"
)

// A Canary is another revision of an API version that takes a share of its
// callers. Which side a caller is on follows from who it is, alike on every
// instance and at any time: a caller that is on the canary's side stays there
// while the share grows.
type Canary struct {
	*API
	limit uint32 // of [shares]: callers below it are the canary's
}

// shares is how finely callers are told apart.
const shares = 10_000

// NewCanary makes a canary of a revision that is built, for weight percent of
// the callers.
func NewCanary(a *API, weight int) *Canary {
	return &Canary{a, uint32(min(max(weight, 0), 100)) * (shares / 100)}
}

// Fits tells whether the canary can stand beside a: what is asked for under one
// path must be the same under the other.
func (k *Canary) Fits(a *API) bool {
	if a == nil || a.ID != k.ID || a.Path != k.Path || len(a.Hosts) != len(k.Hosts) {
		return false
	}
	for i := range a.Hosts {
		if !strings.EqualFold(a.Hosts[i], k.Hosts[i]) {
			return false
		}
	}
	return true
}

// side is the API that answers the call: the canary for its share of callers,
// else a. A canary that the gate refuses takes none.
func (c *Call) side(a *API) *API {
	k := c.table.Canaries[a]
	if k == nil || k.shut.Load() || c.share(k.ID) >= k.limit {
		return a
	}
	return k.API
}

// share is where the caller stands among [shares], for one API version: by the
// application where its key or token tells it, else by the address. It is a
// guess by what the request says, before anything is proved; nothing but the
// side follows from it.
func (c *Call) share(id string) uint32 {
	h := fnv(fnvOffset, id)
	h = fnv(h, "\x00")
	if key := c.Header.Get(c.table.keyHeader()); key != "" {
		return ofApplication(h, c.table.Credentials.FindKey(key, c.found[:0]), key)
	}
	if value := c.Header.Get("Authorization"); value != "" {
		issuer, client := tokenClient(value)
		if client == "" {
			return mix(fnv(h, value)) % shares
		}
		hash := snapshot.ClientCredential(issuer, client)
		return ofApplication(h, c.table.Credentials.Find(&hash, c.found[:0]), client)
	}
	addr := c.Caller.As16()
	for _, b := range addr {
		h = (h ^ uint32(b)) * fnvPrime
	}
	return mix(h) % shares
}

// ofApplication is the share of the application that a credential belongs to, so
// that all of its keys are on one side; of the text when nobody has it.
func ofApplication(h uint32, found []credential.Subscription, text string) uint32 {
	if len(found) > 0 {
		text = found[0].Application()
	}
	return mix(fnv(h, text)) % shares
}

// FNV-1a, 32 bits, with the finalizer of MurmurHash3: few bytes spread well, and
// every program makes the same of them.
const (
	fnvOffset = 2166136261
	fnvPrime  = 16777619
)

func fnv(h uint32, text string) uint32 {
	for i := range len(text) {
		h = (h ^ uint32(text[i])) * fnvPrime
	}
	return h
}

func mix(h uint32) uint32 {
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// maxClaims bounds what is read of a token that nobody has verified yet.
const maxClaims = 8 << 10

// tokenClient reads who a bearer token says it was issued to, unverified; ""
// for what is no JWT (RFC 7519 §3).
func tokenClient(value string) (issuer, client string) {
	scheme, token, ok := strings.Cut(value, " ")
	if !ok || !policy.EqualName(scheme, "bearer") || len(token) > maxClaims {
		return "", ""
	}
	_, rest, ok := strings.Cut(token, ".")
	payload, _, signed := strings.Cut(rest, ".")
	if !ok || !signed {
		return "", ""
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return "", ""
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Party    string `json:"azp"`
		ClientID string `json:"client_id"`
		Subject  string `json:"sub"`
	}
	if json.Unmarshal(text, &claims) != nil {
		return "", ""
	}
	for _, name := range []string{claims.Party, claims.ClientID, claims.Subject} {
		if name != "" {
			return claims.Issuer, name
		}
	}
	return "", ""
}
