package fleet

import (
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/control/compile"
	"gatehouse/snapshot"
)

// A placement is what gateways of one jurisdiction get of a view. All of them
// share it: what must be left out is looked for once for each change, however
// many gateways there are.
type placement struct {
	sum     snapshot.Hash
	entries []snapshot.Entry // nil where it was not needed yet, or is not any more
	whole   bool             // nothing is left out
}

// on is the view for gateways of a jurisdiction, with the sum of its entries.
// Guarded by Fleet.mu, as all of a view that is not compiled.
func (v *view) on(jurisdiction string) ([]snapshot.Entry, snapshot.Hash) {
	if len(v.Bound) == 0 {
		return v.Entries, v.Sum
	}
	p := v.placement(jurisdiction)
	if p.whole {
		return v.Entries, v.Sum
	}
	if p.entries == nil {
		p.entries = v.cut(jurisdiction)
	}
	return p.entries, p.sum
}

func (v *view) sumOn(jurisdiction string) snapshot.Hash {
	if len(v.Bound) == 0 {
		return v.Sum
	}
	return v.placement(jurisdiction).sum
}

func (v *view) placement(jurisdiction string) *placement {
	jurisdiction = strings.ToLower(jurisdiction)
	p := v.placed[jurisdiction]
	if p == nil {
		p = &placement{entries: v.cut(jurisdiction)}
		if p.whole = len(p.entries) == len(v.Entries); p.whole {
			p.entries, p.sum = nil, v.Sum
		} else {
			p.sum = snapshot.SumEntries(p.entries)
		}
		if v.placed == nil {
			v.placed = map[string]*placement{}
		}
		v.placed[jurisdiction] = p
	}
	return p
}

// cut leaves out API versions whose data may not be in the jurisdiction, and their
// attestations. Products go on naming them: that they exist is no secret of theirs.
func (v *view) cut(jurisdiction string) []snapshot.Entry {
	out := make([]snapshot.Entry, 0, len(v.Entries))
	for _, e := range v.Entries {
		switch e.Kind {
		case snapshot.KindAPI, snapshot.KindAttestation, snapshot.KindCanary:
			if !gatehouse.MayPass(v.Bound[e.Name], jurisdiction) || !gatehouse.MayPass(v.Bound[compile.BoundName(e.Kind, e.Name)], jurisdiction) {
				continue
			}
		}
		out = append(out, e)
	}
	return slices.Clip(out)
}

// fade lets go of entries that only gateways far behind ask for; they are cut
// again for them.
func (h *history) fade() {
	if n := len(h.views); n > 1 {
		for _, p := range h.views[n-2].placed {
			p.entries = nil
		}
	}
}
