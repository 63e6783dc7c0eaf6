package subscription

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/policy/apikey"
	"gatehouse/snapshot"
	"gatehouse/store"
)

// MaxLive is how many keys of one subscription may be live at the same time:
// the one in use and the one that takes its place.
const MaxLive = 2

// DefaultOverlap is how long a rotated key lives on.
const DefaultOverlap = 24 * time.Hour

// A Fresh is a key that was just made. Text is the key itself; it is kept
// nowhere and shown this once.
type Fresh struct {
	ID      string
	Text    string
	Expires time.Time
	Seq     store.Seq
}

// String hides the key from logs.
func (f Fresh) String() string { return f.ID }

// GoString hides it from %#v too.
func (f Fresh) GoString() string { return f.ID }

// A Key is a key as it is listed, never the key itself.
type Key struct {
	gatehouse.KeyRecord
	rev store.Seq
}

// State is live, expired or revoked.
func (k *Key) State(now time.Time) string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked"
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return "expired"
	}
	return "live"
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// Keys lists a subscription's keys, oldest first.
func (d *Desk) Keys(ctx context.Context, ref string) ([]Key, error) {
	if _, err := d.Get(ctx, ref); err != nil {
		return nil, err
	}
	return d.keys(ctx, ref)
}

func (d *Desk) keys(ctx context.Context, ref string) ([]Key, error) {
	page, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindKey), Where: map[string]string{"subscription": ref}})
	if err != nil {
		return nil, err
	}
	all := make([]Key, len(page.Records))
	for i, rec := range page.Records {
		all[i].rev = rec.Rev
		if err := json.Unmarshal(rec.Value, &all[i].KeyRecord); err != nil {
			return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
	}
	slices.SortFunc(all, func(a, b Key) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return all, nil
}

func (d *Desk) live(ctx context.Context, ref string) ([]Key, error) {
	all, err := d.keys(ctx, ref)
	now := d.now()
	return slices.DeleteFunc(all, func(k Key) bool { return k.State(now) != "live" }), err
}

// CreateKey makes a key that lives until expires, or as long as the
// subscription when that is zero.
func (d *Desk) CreateKey(ctx context.Context, ref string, expires time.Time) (Fresh, error) {
	f, err := d.addKey(ctx, "key.create", ref, expires, func(s *Standing, live []Key) ([]audit.Act, error) {
		if len(live) < MaxLive {
			return nil, nil
		}
		return nil, gatehouse.E(gatehouse.Conflict, "keys %s are live already, and at most %d may be; revoke one or rotate", ids(live), MaxLive)
	})
	if err != nil {
		return Fresh{}, gatehouse.E(gatehouse.KindOf(err), "creating a key of subscription %q: %w", ref, err)
	}
	return f, nil
}

// RotateKey makes a new key and lets the old one, the only live one unless id
// names it, live on for overlap; zero is [DefaultOverlap]. A third key that was
// to end soon anyway is not kept for it: two are live at most.
func (d *Desk) RotateKey(ctx context.Context, ref, id string, overlap time.Duration) (Fresh, error) {
	if overlap == 0 {
		overlap = DefaultOverlap
	}
	f, err := d.addKey(ctx, "key.rotate", ref, time.Time{}, func(s *Standing, live []Key) ([]audit.Act, error) {
		if overlap < 0 {
			return nil, gatehouse.E(gatehouse.Invalid, "overlap %s is negative", overlap)
		}
		old, err := chosen(live, id)
		if err != nil {
			return nil, err
		}
		if len(live) >= MaxLive {
			return nil, gatehouse.E(gatehouse.Conflict, "keys %s are live already, and at most %d may be; revoke one first", ids(live), MaxLive)
		}
		end := d.now().Add(overlap)
		if !old.Expires.IsZero() && old.Expires.Before(end) {
			return nil, nil // it ends sooner by itself
		}
		before := old.KeyRecord
		old.Expires = end
		a, err := old.act("key.expire", before, "rotated")
		return []audit.Act{a}, err
	})
	if err != nil {
		return Fresh{}, gatehouse.E(gatehouse.KindOf(err), "rotating a key of subscription %q: %w", ref, err)
	}
	return f, nil
}

func chosen(live []Key, id string) (*Key, error) {
	if len(live) == 0 {
		return nil, gatehouse.E(gatehouse.Conflict, "no key is live; create one")
	}
	if id == "" {
		return &live[0], nil
	}
	i := slices.IndexFunc(live, func(k Key) bool { return k.ID == id })
	if i < 0 {
		return nil, gatehouse.E(gatehouse.NotFound, "it has no live key %q", id)
	}
	return &live[i], nil
}

func ids(keys []Key) string {
	var names []string
	for _, k := range keys {
		names = append(names, fmt.Sprintf("%q", k.ID))
	}
	return strings.Join(names, " and ")
}

// addKey makes a key. The subscription's record is written anew with it, so
// that of two who do so at once one loses, and no third key comes to life.
func (d *Desk) addKey(ctx context.Context, action, ref string, expires time.Time, before func(*Standing, []Key) ([]audit.Act, error)) (Fresh, error) {
	s, err := d.Get(ctx, ref)
	if err != nil {
		return Fresh{}, err
	}
	if s.Status.State != gatehouse.Approved {
		return Fresh{}, gatehouse.E(gatehouse.Conflict, "it is %s; only an approved subscription gets keys", s.Status.State)
	}
	now := d.now()
	if !expires.IsZero() && !expires.After(now) {
		return Fresh{}, gatehouse.E(gatehouse.Invalid, "expires: %s is in the past", expires.UTC().Format(time.RFC3339))
	}
	live, err := d.live(ctx, ref)
	if err != nil {
		return Fresh{}, err
	}
	acts, err := before(s, live)
	if err != nil {
		return Fresh{}, err
	}
	f, a, err := s.fresh(action, now, actor(ctx), expires)
	if err != nil {
		return Fresh{}, err
	}
	touch, err := s.write()
	if err != nil {
		return Fresh{}, err
	}
	a.Writes = append(a.Writes, touch)
	f.Seq, err = d.trail.Commit(ctx, append(acts, a)...)
	if err != nil {
		return Fresh{}, err
	}
	return f, nil
}

// fresh makes a key and the act that writes it.
func (s *Standing) fresh(action string, now time.Time, by string, expires time.Time) (Fresh, audit.Act, error) {
	text := apikey.New()
	k := s.key(text, now, by, expires)
	a, err := k.act(action, gatehouse.KeyRecord{}, "")
	return Fresh{ID: k.ID, Text: text, Expires: k.Expires}, a, err
}

// key is the record of a new key of the subscription.
func (s *Standing) key(text string, now time.Time, by string, expires time.Time) *Key {
	hash := sha256.Sum256([]byte(text))
	return &Key{KeyRecord: gatehouse.KeyRecord{
		ID: "key_" + hex.EncodeToString(hash[:6]), Subscription: s.Ref(), Environment: s.Spec.Environment,
		Hash: base64.RawURLEncoding.EncodeToString(hash[:]), Tail: snapshot.Tail(text), Created: now, CreatedBy: by, Expires: expires.UTC(),
	}}
}

// act is an event on the key with the write that carries it out. The hash and how
// the key ends are not in the event.
func (k *Key) act(action string, before gatehouse.KeyRecord, reason string) (audit.Act, error) {
	value, err := jsonx.Marshal(&k.KeyRecord)
	if err != nil {
		return audit.Act{}, err
	}
	team, _ := gatehouse.ParseRef(k.Subscription, "")
	a := audit.Act{
		Action: action, Object: "Key " + k.ID, Team: team, Reason: reason,
		Writes: []store.Write{{
			Key: "Key/" + k.ID, Kind: string(gatehouse.KindKey), Value: value, Expect: k.rev,
			Index: map[string]string{"subscription": k.Subscription, "environment": k.Environment, "team": team, "hash": k.Hash},
		}},
	}
	if before.ID != "" {
		if a.Before, err = shown(before); err != nil {
			return a, err
		}
	}
	a.After, err = shown(k.KeyRecord)
	return a, err
}

// shown is what the trail keeps of a key.
func shown(k gatehouse.KeyRecord) (json.RawMessage, error) {
	k.Hash, k.Tail = "", ""
	return jsonx.Marshal(&k)
}

func (k *Key) revoke(now time.Time, by, reason string) (audit.Act, error) {
	before := k.KeyRecord
	k.Revoked, k.RevokedBy = now, by
	return k.act("key.revoke", before, reason)
}

// RevokeKey ends a key at once. Revoking it again changes nothing.
func (d *Desk) RevokeKey(ctx context.Context, ref, id string) (store.Seq, error) {
	keys, err := d.Keys(ctx, ref)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
	switch {
	case i < 0:
		return 0, gatehouse.E(gatehouse.NotFound, "revoking key %q: subscription %q has no such key", id, ref)
	case !keys[i].Revoked.IsZero():
		return 0, nil
	}
	a, err := keys[i].revoke(d.now(), actor(ctx), "")
	if err != nil {
		return 0, err
	}
	seq, err := d.trail.Commit(ctx, a)
	if err != nil {
		return 0, gatehouse.E(gatehouse.KindOf(err), "revoking key %q of subscription %q: %w", id, ref, err)
	}
	return seq, nil
}
