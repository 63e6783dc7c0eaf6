package report

import (
	"cmp"
	"slices"
	"strings"
)

// An identity is what makes two counts alike.
type identity struct {
	api, operation, application, product, plan, denied, revision string
	class                                                        int
}

func (c *Count) identity() identity {
	return identity{c.API, c.Operation, c.Application, c.Product, c.Plan, c.Denied, c.Revision, c.Class}
}

// Merge adds up counts that are alike and returns them in order. Its arguments
// stay as they are.
func Merge(lists ...[]Count) []Count {
	at := map[identity]int{}
	var out []Count
	for _, list := range lists {
		for i := range list {
			c := &list[i]
			n, ok := at[c.identity()]
			if !ok {
				at[c.identity()] = len(out)
				out = append(out, *c)
				out[len(out)-1].Latency = slices.Clone(c.Latency)
				out[len(out)-1].Bins = slices.Clone(c.Bins)
				continue
			}
			out[n].add(c)
		}
	}
	Sort(out)
	return out
}

// Sort puts counts into the order that Merge returns them in.
func Sort(counts []Count) {
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(strings.Compare(a.API, b.API), strings.Compare(a.Operation, b.Operation), strings.Compare(a.Application, b.Application),
			strings.Compare(a.Product, b.Product), strings.Compare(a.Plan, b.Plan), cmp.Compare(a.Class, b.Class), strings.Compare(a.Denied, b.Denied),
			strings.Compare(a.Revision, b.Revision))
	})
}

func (c *Count) add(o *Count) {
	c.Requests += o.Requests
	c.BytesIn += o.BytesIn
	c.BytesOut += o.BytesOut
	c.BackendMicros += o.BackendMicros
	for len(c.Latency) < len(o.Latency) {
		c.Latency = append(c.Latency, 0)
	}
	for i, n := range o.Latency {
		c.Latency[i] += n
	}
	c.Bins = c.Bins.Add(o.Bins)
}
