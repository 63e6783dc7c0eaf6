package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/report"
	"gatehouse/snapshot"
)

// States of an API version, or of a whole manifest, on an instance.
const (
	Live    = "live"
	Pending = "pending"
	Refused = "refused"
	Revoked = "revoked" // of an instance: shut out
	// NotPlaced is an API version's state where its data may not be.
	NotPlaced = "not-placed"
)

// An InstanceStatus is what is known of one instance.
type InstanceStatus struct {
	gatehouse.Instance
	Environment string `json:"environment"`
	// Connected: heard of within the last 45 s by the control-plane process
	// that answers.
	Connected bool           `json:"connected"`
	Seen      time.Time      `json:"seen,omitzero"`
	Address   string         `json:"address,omitempty"`
	Health    *report.Health `json:"health,omitempty"`
	// State of the newest manifest on it.
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// An APIStatus is how one API version stands on the gateways of an environment.
type APIStatus struct {
	API         string `json:"api"`
	Environment string `json:"environment"`
	Revision    string `json:"revision,omitempty"` // that is wanted
	// Aside says why it cannot be compiled; then no gateway has it.
	Aside     string          `json:"aside,omitempty"`
	Instances []APIOnInstance `json:"instances"`
	Summary   string          `json:"summary"` // "applied on 12 of 12 gateways in 0.4 s"
}

// APIOnInstance is one API version on one instance.
type APIOnInstance struct {
	Gateway  string    `json:"gateway"`
	Instance string    `json:"instance"`
	State    string    `json:"state"`
	Reason   string    `json:"reason,omitempty"`
	Warning  string    `json:"warning,omitempty"` // served, but the gate does not cover it
	Since    time.Time `json:"since,omitzero"`    // when it acknowledged
	// Connected: heard of within the last 45 s by the process that answers.
	Connected bool `json:"connected"`
}

// Instances lists the instances of a gateway, or of all when gateway is "", in
// order of gateway and name.
func (f *Fleet) Instances(gateway string) []InstanceStatus {
	gateways, now := f.state.Gateways(), f.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []InstanceStatus
	for name, i := range f.instances {
		if gateway != "" && i.Gateway != gateway {
			continue
		}
		s := InstanceStatus{Instance: *i, State: Pending}
		if saw, ok := f.seen[name]; ok {
			s.Seen, s.Address, s.Health = saw.at, saw.address, saw.health
			s.Connected = f.connected(name, now)
		}
		if spec := gateways[i.Gateway]; spec != nil {
			s.Environment = spec.Environment
			s.State, s.Reason = f.manifestState(spec, i)
		}
		if !i.Revoked.IsZero() {
			s.State, s.Reason = Revoked, ""
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b InstanceStatus) int {
		return cmp.Or(strings.Compare(a.Gateway, b.Gateway), strings.Compare(a.Instance.Instance, b.Instance.Instance))
	})
	return out
}

// manifestState compares what an instance acknowledged with the newest
// manifest of its environment.
func (f *Fleet) manifestState(spec *gatehouse.Gateway, i *gatehouse.Instance) (state, reason string) {
	h := f.views[spec.Environment]
	switch {
	case h == nil || i.Ack.Digest == "":
		return Pending, ""
	case !f.runs(spec, i, &h.views[len(h.views)-1]):
		return Pending, i.Ack.Refused
	case i.Ack.Refused != "":
		return Refused, i.Ack.Refused
	case len(i.Ack.Aside) > 0:
		return Refused, fmt.Sprintf("%d API versions set aside", len(i.Ack.Aside)+i.Ack.MoreAside)
	}
	return Live, ""
}

// runs tells whether the acknowledged manifest has the view's content, under
// whatever serial it came.
func (f *Fleet) runs(spec *gatehouse.Gateway, i *gatehouse.Instance, v *view) bool {
	m := snapshot.Manifest{Installation: f.installation.id, Environment: v.Environment, Gateway: i.Gateway, Serial: i.Ack.Serial}
	return m.DigestOf(v.sumOn(f.state.JurisdictionOf(spec))).String() == i.Ack.Digest
}

// Status tells how an API version, "payments/orders@v1", stands on the
// instances of an environment. An instance has it when the manifest it
// acknowledged holds the chunk that is wanted now, also if that manifest is not
// the newest.
func (f *Fleet) Status(id, environment string) APIStatus {
	s := APIStatus{API: id, Environment: environment, Revision: f.state.Release(environment, id)}
	gateways := f.state.Gateways()
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.views[environment]
	if h == nil {
		s.Summary = "the environment has no gateway configuration yet"
		return s
	}
	last := &h.views[len(h.views)-1]
	for _, a := range last.Aside {
		if a.API == id {
			s.Aside = a.Reason
		}
	}
	want := chunkOf(last, id)
	now := f.Now()
	for name, i := range f.instances {
		spec := gateways[i.Gateway]
		if spec == nil || spec.Environment != environment || !i.Revoked.IsZero() {
			continue
		}
		on := f.onInstance(h, spec, i, id, want)
		if on.Connected = f.connected(name, now); !on.Connected && on.State == Pending && on.Reason == "" {
			on.Reason = f.silent(name)
		}
		s.Instances = append(s.Instances, on)
	}
	slices.SortFunc(s.Instances, func(a, b APIOnInstance) int {
		return cmp.Or(strings.Compare(a.Gateway, b.Gateway), strings.Compare(a.Instance, b.Instance))
	})
	s.summarize(f.since(h, id, want))
	return s
}

func (f *Fleet) onInstance(h *history, spec *gatehouse.Gateway, i *gatehouse.Instance, id string, want snapshot.Hash) APIOnInstance {
	on := APIOnInstance{Gateway: i.Gateway, Instance: i.Instance, State: Pending}
	if bound, lies := h.views[len(h.views)-1].Bound[id], f.state.JurisdictionOf(spec); !gatehouse.MayPass(bound, lies) {
		api, _, _ := strings.Cut(id, "@")
		on.Reason = gatehouse.NotPlaced(api, bound, i.Gateway, lies)
		for n := range slices.Backward(h.views) {
			if f.runs(spec, i, &h.views[n]) {
				on.State = NotPlaced // else it has yet to hear of it
			}
		}
		return on
	}
	if r, ok := i.Ack.Refuses(id); ok {
		on.Reason = r.Reason
	}
	for n := range slices.Backward(h.views) {
		v := &h.views[n]
		if !f.runs(spec, i, v) {
			continue
		}
		if chunkOf(v, id) != want {
			return on
		}
		on.Since = i.Ack.Time
		switch {
		case i.Ack.Refused != "":
			on.State, on.Reason = Refused, i.Ack.Refused
		case on.Reason != "":
			on.State = Refused
		default:
			on.State = Live
			if r, ok := i.Ack.Warns(id); ok {
				on.Warning = r.Reason
			}
		}
		return on
	}
	return on
}

// silent says since when an instance has not been heard of.
func (f *Fleet) silent(name string) string {
	saw, ok := f.seen[name]
	if !ok {
		return "is not connected: it has not been heard of since the control plane began"
	}
	return "is not connected: it was heard of last at " + saw.at.UTC().Format(time.RFC3339)
}

// chunkOf is the hash of the API's chunk in a view, zero for none.
func chunkOf(v *view, id string) snapshot.Hash {
	at, ok := slices.BinarySearchFunc(v.Entries, snapshot.Entry{Kind: snapshot.KindAPI, Name: id}, snapshot.Entry.Compare)
	if !ok {
		return snapshot.Hash{}
	}
	return v.Entries[at].Hash
}

// since is when the chunk that is wanted was first offered, zero if that was
// before what is remembered.
func (f *Fleet) since(h *history, id string, want snapshot.Hash) time.Time {
	for n := range slices.Backward(h.views) {
		if n == 0 {
			break
		}
		if chunkOf(&h.views[n-1], id) != want {
			return h.views[n].at
		}
	}
	return time.Time{}
}

func (s *APIStatus) summarize(offered time.Time) {
	live, refused, latest := 0, 0, time.Time{}
	reason, warning := "", ""
	var away []string
	for _, i := range s.Instances {
		switch i.State {
		case Live:
			live++
			warning = cmp.Or(warning, i.Warning)
			if i.Since.After(latest) {
				latest = i.Since
			}
		case Refused:
			refused++
			reason = i.Reason
		case NotPlaced:
			away = append(away, i.Reason)
		}
	}
	placed := len(s.Instances) - len(away)
	switch {
	case s.Aside != "":
		s.Summary = "not compiled: " + s.Aside
	case len(s.Instances) == 0:
		s.Summary = "no gateway instance has joined"
	case placed == 0:
		s.Summary = away[0]
	default:
		s.Summary = fmt.Sprintf("applied on %d of %d gateways", live, placed)
		if took := latest.Sub(offered); live == placed && !offered.IsZero() && took >= 0 {
			s.Summary += fmt.Sprintf(" in %.1f s", took.Seconds())
		}
		if refused > 0 {
			s.Summary += fmt.Sprintf(", refused on %d, because %s", refused, reason)
		}
		if len(away) > 0 {
			s.Summary += "; " + away[0]
		}
		if warning != "" {
			s.Summary += "; the gate would refuse it: " + warning
		}
	}
}
