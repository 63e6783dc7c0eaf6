package snapshot

import (
	"bytes"
	"slices"
)

// Strikes are keys and subscriptions that a gateway refuses although the manifest
// in force still has them. A control plane that has just started sends them while
// it reads what there is, which takes a while with a million keys: what was taken
// away meanwhile is refused without waiting for the manifest that says so.
type Strikes struct {
	Keys          []Credential `json:"keys,omitempty"`
	Subscriptions []string     `json:"subscriptions,omitempty"` // "billing/invoices-commerce"
}

// Sum tells one list of strikes from another. It is zero when nothing is struck.
func (s *Strikes) Sum() Hash {
	if len(s.Keys)+len(s.Subscriptions) == 0 {
		return Hash{}
	}
	sorted := Strikes{slices.Clone(s.Keys), slices.Clone(s.Subscriptions)}
	slices.SortFunc(sorted.Keys, func(a, b Credential) int { return bytes.Compare(a[:], b[:]) })
	slices.Sort(sorted.Subscriptions)
	_, sum, err := Encode(&sorted)
	if err != nil {
		panic(err) // texts only
	}
	return sum
}
