package bundle

import (
	"slices"

	"gatehouse"
)

// A Claim is a version's hold on a base path.
type Claim struct {
	API     string   `json:"api"` // "payments/orders"
	Version string   `json:"version"`
	Path    string   `json:"path"`
	Hosts   []string `json:"hosts,omitempty"` // none: the environment's
}

// Claims are what an API holds: the paths of versions that are or may be
// served. What is retired or still in design holds nothing.
func Claims(o *gatehouse.Object) []Claim {
	api, ok := o.Spec.(*gatehouse.API)
	if !ok {
		return nil
	}
	var claims []Claim
	for _, v := range api.Versions {
		if v.Lifecycle != "design" && v.Lifecycle != "retired" {
			claims = append(claims, Claim{o.Metadata.Ref(), v.Name, v.Path, v.Hosts})
		}
	}
	return claims
}

// Collides reports whether two versions would answer the same requests: the
// same path on a common host, or both on their environment's hosts.
func (c Claim) Collides(o Claim) bool {
	if c.Path != o.Path || c.API == o.API && c.Version == o.Version {
		return false
	}
	if len(c.Hosts) == 0 || len(o.Hosts) == 0 {
		return len(c.Hosts) == len(o.Hosts)
	}
	return slices.ContainsFunc(c.Hosts, func(h string) bool { return slices.Contains(o.Hosts, h) })
}

// routes reports versions that claim what another one has, in the bundle or in
// the store.
func (c *checker) routes() {
	type held struct {
		Claim
		d *Document
	}
	taken := make(map[string][]held)
	for i := range c.bundle.Documents {
		d := &c.bundle.Documents[i]
		if d.object == nil || c.own[d.object.Key()] != d || c.err != nil {
			continue
		}
		for _, claim := range Claims(d.object) {
			where := at("versions", index(d.object, claim.Version), "path")
			for _, h := range taken[claim.Path] {
				if claim.Collides(h.Claim) {
					c.fault(d, where, "routes to %q and %q (%s) both claim %s%s", claim.ref(), h.ref(), h.d.where(), onHost(claim, h.Claim), claim.Path)
				}
			}
			taken[claim.Path] = append(taken[claim.Path], held{claim, d})
			c.storedRoutes(d, where, claim)
		}
	}
}

func (c *checker) storedRoutes(d *Document, where []string, claim Claim) {
	if c.Claims == nil {
		return
	}
	stored, err := c.Claims(claim.Path)
	if err != nil {
		c.err = err
		return
	}
	for _, s := range stored {
		team, name := gatehouse.ParseRef(s.API, "")
		if _, replaced := c.own[gatehouse.Key(gatehouse.KindAPI, team, name)]; !replaced && claim.Collides(s) {
			c.fault(d, where, "routes to %q and %q both claim %s%s", claim.ref(), s.ref(), onHost(claim, s), claim.Path)
		}
	}
}

func index(o *gatehouse.Object, version string) int {
	return slices.IndexFunc(o.Spec.(*gatehouse.API).Versions, func(v gatehouse.Version) bool { return v.Name == version })
}

func (c Claim) ref() string { return c.API + "@" + c.Version }

// onHost is the first host that both claim, "" for their environment's.
func onHost(a, b Claim) string {
	if i := slices.IndexFunc(a.Hosts, func(h string) bool { return slices.Contains(b.Hosts, h) }); i >= 0 {
		return a.Hosts[i]
	}
	return ""
}
