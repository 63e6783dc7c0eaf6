package report

import (
	"cmp"
	"slices"
)

// A Standing is what an instance does otherwise than its manifest names it. Each
// list is in order of name and holds at most [MaxListed]; then follows how many
// more there are. Acknowledgements are kept as long as the history of their
// instance: where ten thousand API versions wait for the gate, they must not be
// written out with every change.
type Standing struct {
	// Aside are chunks set aside alone; all others are live.
	Aside     []Refusal `json:"aside,omitempty"`
	MoreAside int       `json:"moreAside,omitempty"`
	// Unattested are API versions that are served although the gate does not
	// cover them, because the environment only reports.
	Unattested     []Refusal `json:"unattested,omitempty"`
	MoreUnattested int       `json:"moreUnattested,omitempty"`
}

// MaxListed bounds a list of a [Standing].
const MaxListed = 500

// Stand makes a Standing of two lists, which it sorts.
func Stand(aside, unattested []Refusal) Standing {
	var s Standing
	s.Aside, s.MoreAside = listed(aside)
	s.Unattested, s.MoreUnattested = listed(unattested)
	return s
}

func listed(all []Refusal) ([]Refusal, int) {
	slices.SortFunc(all, func(a, b Refusal) int { return cmp.Compare(a.API, b.API) })
	if more := len(all) - MaxListed; more > 0 {
		return slices.Clone(all[:MaxListed]), more
	}
	return all, 0
}

// Equal tells whether two say the same.
func (s *Standing) Equal(o *Standing) bool {
	return slices.Equal(s.Aside, o.Aside) && s.MoreAside == o.MoreAside && slices.Equal(s.Unattested, o.Unattested) && s.MoreUnattested == o.MoreUnattested
}

// Refuses tells why the instance does not serve an API version as named. One
// that may stand where a list was cut counts as refused: live is said only of
// what is known to be.
func (s *Standing) Refuses(api string) (Refusal, bool) { return find(s.Aside, s.MoreAside, api) }

// Warns tells why an API version would be refused if the environment enforced.
func (s *Standing) Warns(api string) (Refusal, bool) {
	if i := slices.IndexFunc(s.Unattested, func(r Refusal) bool { return r.API == api }); i >= 0 {
		return s.Unattested[i], true
	}
	return Refusal{}, false
}

func find(list []Refusal, more int, api string) (Refusal, bool) {
	if i := slices.IndexFunc(list, func(r Refusal) bool { return r.API == api }); i >= 0 {
		return list[i], true
	}
	if more > 0 && api > list[len(list)-1].API {
		return Refusal{API: api, Reason: "the instance sets aside more than it lists, so it is not known whether it serves this one"}, true
	}
	return Refusal{}, false
}
