package fleet

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/link"
	"gatehouse/report"
	"gatehouse/store"
)

// silence is how long an instance may be unheard of before it counts as not
// connected: longer than a poll waits.
const silence = link.MaxWait + 15*time.Second

// A sighting is what this process alone knows of an instance.
type sighting struct {
	at      time.Time
	address string
	health  *report.Health
}

// hear takes a change of an instance's record.
func (f *Fleet) hear(c *store.Change) {
	if strings.HasPrefix(c.Key, kindBudget+"/") {
		f.hearBudget(c)
		return
	}
	name, ok := strings.CutPrefix(c.Key, string(gatehouse.KindInstance)+"/")
	if !ok {
		return
	}
	i := new(gatehouse.Instance)
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.Deleted || json.Unmarshal(c.Value, i) != nil {
		delete(f.instances, name)
	} else {
		f.instances[name] = i
	}
	renew(&f.news)
	if c.Deleted || !i.Revoked.IsZero() {
		renew(&f.changed) // whoever waits is looked at again
	}
}

// renew wakes all who wait on a channel.
func renew(c *chan struct{}) {
	close(*c)
	*c = make(chan struct{})
}

// Admit lets a peer in whose certificate is the one its instance was given last,
// or the one it renewed with. What this node has heard may be old, so a refusal
// is looked up first: the instance may have joined through another node.
func (f *Fleet) Admit(ctx context.Context, p link.Peer) error {
	f.mu.Lock()
	i := f.instances[p.Gateway+"/"+p.Instance]
	f.mu.Unlock()
	if !admits(i, p) {
		var err error
		if i, _, err = f.instance(ctx, p.Gateway, p.Instance); err != nil {
			return unavailable(err)
		}
	}
	if !admits(i, p) {
		return errRevoked(p)
	}
	return nil
}

func admits(i *gatehouse.Instance, p link.Peer) bool {
	return i != nil && i.Revoked.IsZero() && (p.Certificate == i.Certificate || p.Certificate == i.Former)
}

func (f *Fleet) sight(p link.Peer, health *report.Health) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := p.Gateway + "/" + p.Instance
	if health == nil {
		health = f.seen[name].health
	}
	f.seen[name] = sighting{f.Now(), p.Address, health}
}

// InstancesWith is how many instances the environment of a peer has, itself
// included: those that this process has heard of lately and, when other processes
// hear of some, those whose certificate is still good.
func (f *Fleet) InstancesWith(p link.Peer) int {
	gateways, now, several := f.state.Gateways(), f.Now(), f.nodes() > 1
	of := gateways[p.Gateway]
	if of == nil {
		return 1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for name, i := range f.instances {
		g := gateways[i.Gateway]
		if g == nil || g.Environment != of.Environment || !i.Revoked.IsZero() {
			continue
		}
		if f.connected(name, now) || several && now.Before(i.Expires) {
			n++
		}
	}
	return max(1, n)
}

// Ack writes what an instance runs into its record; its history is what the
// catalog of a past moment is read from.
func (f *Fleet) Ack(ctx context.Context, p link.Peer, a *report.Ack) error {
	f.sight(p, nil)
	for range 4 {
		i, at, err := f.instance(ctx, p.Gateway, p.Instance)
		if err != nil {
			return unavailable(err)
		}
		if i == nil || !i.Revoked.IsZero() {
			return errRevoked(p)
		}
		if same(&i.Ack, a) {
			return nil
		}
		i.Ack = *a
		value, err := jsonx.Marshal(i)
		if err != nil {
			return err
		}
		_, err = f.DB.Apply(ctx, store.Batch{Writes: []store.Write{{
			Key: instanceKey(p.Gateway, p.Instance), Kind: string(gatehouse.KindInstance), Value: value, Expect: at, Index: map[string]string{"gateway": p.Gateway},
		}}})
		if !gatehouse.Is(err, gatehouse.Conflict) {
			if err != nil {
				return unavailable(err)
			}
			return nil
		}
	}
	return link.Errorf(503, "the record of instance %q keeps changing; try again", p.Instance)
}

// same tells whether an acknowledgement says nothing new.
func same(a, b *report.Ack) bool {
	return a.Serial == b.Serial && a.Digest == b.Digest && a.Refused == b.Refused && a.Program == b.Program && a.Standing.Equal(&b.Standing)
}

// Counts hands a batch to the room that keeps them.
func (f *Fleet) Counts(ctx context.Context, p link.Peer, b *report.Batch) error {
	f.sight(p, nil)
	spec, err := f.gateway(ctx, p.Gateway)
	if err != nil {
		return err
	}
	err = f.Take(ctx, spec.Environment, b)
	if gatehouse.Is(err, gatehouse.Invalid) {
		return link.Errorf(400, "%v", err)
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// Revoke shuts an instance out: from now on no node of the control plane
// answers it. What it holds it goes on serving; stop it where it runs.
func (f *Fleet) Revoke(ctx context.Context, gateway, instance string) error {
	for try := 1; ; try++ {
		err := f.revoke(ctx, gateway, instance)
		// An acknowledgement that comes in between moves the record on.
		if !gatehouse.Is(err, gatehouse.Conflict) || try == revokeTries {
			return err
		}
	}
}

// revokeTries is how often a revocation is written anew over acknowledgements.
const revokeTries = 10

func (f *Fleet) revoke(ctx context.Context, gateway, instance string) error {
	old, at, err := f.instance(ctx, gateway, instance)
	if err != nil {
		return err
	}
	if old == nil {
		return gatehouse.E(gatehouse.NotFound, "revoking: gateway %q has no instance %q", gateway, instance)
	}
	if !old.Revoked.IsZero() {
		return nil
	}
	next := *old
	next.Revoked, next.RevokedBy = f.Now().UTC().Truncate(time.Microsecond), audit.From(ctx).Actor
	if err := f.put(ctx, "gateway.revoke", instanceKey(gateway, instance), at, gatehouse.KindInstance, old, &next); err != nil {
		return gatehouse.E(gatehouse.KindOf(err), "revoking instance %q of gateway %q: %w", instance, gateway, err)
	}
	return nil
}
