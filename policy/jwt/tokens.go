package jwt

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"
)

// tokenParts of the cache, each with its own lock; a power of two.
const tokenParts = 16

// maxTokens bounds the cache of one issuer, in bytes.
const maxTokens = 16 << 20

// tokens remembers verified tokens by the SHA-256 of the whole token, signature
// included: nothing but the very same bytes finds what was verified. When it is
// full, those not asked for lately are forgotten.
type tokens [tokenParts]tokenPart

type digest = [sha256.Size]byte

type tokenPart struct {
	mu     sync.RWMutex // guards all
	byHash map[digest]*remembered
	ring   []*remembered
	hand   int
	size   int
}

type remembered struct {
	hash  digest
	token *verified
	asked atomic.Bool
}

func newTokens() *tokens {
	t := new(tokens)
	for i := range t {
		t[i].byHash = map[digest]*remembered{}
	}
	return t
}

// get returns the token of that hash if it was verified by the key set of the
// generation, or nil. Whether it has expired since is for who asks.
func (t *tokens) get(hash *digest, generation uint64) *verified {
	p := &t[hash[0]%tokenParts]
	p.mu.RLock()
	r := p.byHash[*hash]
	p.mu.RUnlock()
	if r == nil || r.token.generation != generation {
		return nil
	}
	if !r.asked.Load() {
		r.asked.Store(true)
	}
	return r.token
}

// put remembers v.
func (t *tokens) put(hash *digest, v *verified, now time.Time) {
	p := &t[hash[0]%tokenParts]
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.byHash[*hash]; old != nil {
		p.size += v.size - old.token.size
		fresh := &remembered{hash: *hash, token: v}
		p.byHash[*hash] = fresh
		for i := range p.ring {
			if p.ring[i] == old {
				p.ring[i] = fresh
			}
		}
		return
	}
	for p.size+v.size > maxTokens/tokenParts && len(p.ring) > 0 {
		p.forget(now)
	}
	r := &remembered{hash: *hash, token: v}
	p.byHash[*hash] = r
	p.ring = append(p.ring, r)
	p.size += v.size
}

// forget drops the next token that has ended or was not asked for since the hand
// last passed.
func (p *tokenPart) forget(now time.Time) {
	for {
		if p.hand >= len(p.ring) {
			p.hand = 0
		}
		r := p.ring[p.hand]
		if r.asked.Load() && r.token.expires > float64(now.Unix()) {
			r.asked.Store(false)
			p.hand++
			continue
		}
		delete(p.byHash, r.hash)
		p.size -= r.token.size
		last := len(p.ring) - 1
		p.ring[p.hand], p.ring[last] = p.ring[last], nil
		p.ring = p.ring[:last]
		return
	}
}
